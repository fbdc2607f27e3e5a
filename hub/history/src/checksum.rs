//! Checksums of what is stored: a flipped bit is found where what it makes would still decode.
//!
//! A frame is the version (a byte), the content, and from version 2 on the CRC-32 (little-endian) of where the frame
//! lies, the version and the content. So bytes that are whole, but of another chunk or with other bounds beside them,
//! are found too. Frames of version 1 have no checksum and are read as they are.

use crate::error::{HistoryError, Result};

const UNCHECKED: u8 = 1;
/// Two bits from [`UNCHECKED`]: one that flips does not take the checksum away.
const CHECKED: u8 = 2;
const CRC_BYTES: usize = 4;

/// A frame of `content`. What has to be beside it for it to be true, such as its row's number, is in `place`.
pub(crate) fn frame(place: &[i64], content: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(1 + content.len() + CRC_BYTES);
    begin(&mut frame);
    frame.extend_from_slice(content);
    end(place, &mut frame);
    frame
}

/// Begins a frame in an empty buffer; its content follows, and then [`end`].
pub(crate) fn begin(frame: &mut Vec<u8>) {
    frame.push(CHECKED);
}

/// Ends a frame that was begun.
pub(crate) fn end(place: &[i64], frame: &mut Vec<u8>) {
    let crc = crc(place, frame);
    frame.extend_from_slice(&crc);
}

/// The content of a frame, and whether a checksum has proved it; of no bytes at all there is none.
///
/// # Errors
/// [`HistoryError::Corrupt`], saying `what` it is, where the checksum or the version is wrong.
pub(crate) fn content<'a>(what: &'static str, place: &[i64], frame: &'a [u8]) -> Result<(&'a [u8], bool)> {
    match frame {
        [] => Ok((&[], false)),
        [UNCHECKED, content @ ..] => Ok((content, false)),
        [CHECKED, ..] if frame.len() > CRC_BYTES => {
            let (body, sum) = frame.split_at(frame.len() - CRC_BYTES);
            match crc(place, body)[..] == *sum {
                true => Ok((&body[1..], true)),
                false => Err(HistoryError::corrupt(what, "its checksum is not that of its bytes")),
            }
        }
        [version, ..] => Err(HistoryError::corrupt(what, format!("version {version} is unknown"))),
    }
}

fn crc(place: &[i64], bytes: &[u8]) -> [u8; CRC_BYTES] {
    let mut hasher = crc32fast::Hasher::new();
    place.iter().for_each(|n| hasher.update(&n.to_le_bytes()));
    hasher.update(bytes);
    hasher.finalize().to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_that_flips_is_found_and_so_is_another_place() {
        for content_bytes in [0, 1, 7, 300] {
            let bytes: Vec<u8> = (0..content_bytes).map(|i| i as u8).collect();
            let good = frame(&[7, -1], &bytes);
            assert_eq!(content("it", &[7, -1], &good).unwrap(), (&bytes[..], true));
            for bit in 0..good.len() * 8 {
                let mut bad = good.clone();
                bad[bit / 8] ^= 1 << (bit % 8);
                assert!(content("it", &[7, -1], &bad).is_err(), "bit {bit} of {content_bytes} bytes");
            }
            for cut in 1..good.len() {
                assert!(content("it", &[7, -1], &good[..cut]).is_err(), "cut at {cut}");
            }
            assert!(content("it", &[8, -1], &good).is_err());
        }
        assert_eq!(content("it", &[], &[]).unwrap(), (&[][..], false));
        assert_eq!(content("it", &[3], &[UNCHECKED, 5]).unwrap(), (&[5][..], false));
    }
}
