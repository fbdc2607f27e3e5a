//! The campus in 3D: the Bevy and egui client of a Campanile hub.
