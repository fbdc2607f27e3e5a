//! points
/// x
pub const TODO: u8 = 0;
