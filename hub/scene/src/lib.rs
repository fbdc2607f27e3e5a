//! One plan for every eye: from a checked campus to glTF.
