//! Data frames: many samples in columns, in few bytes.
//!
//! A frame is one binary WebSocket message. All numbers are little-endian; columns follow each
//! other without padding.
//!
//! | bytes | what |
//! |---|---|
//! | 2 | `CF` in ASCII |
//! | 1 | layout version, 1 |
//! | 1 | kind: 0 snapshot, 1 delta |
//! | 1 | flags: bit 0 is set where more frames of the same snapshot follow; the others are 0 |
//! | 3 | zero |
//! | 4 | id of the subscription, `u32` |
//! | 8 | sequence number within the connection, `u64`, from 0 |
//! | 8 | time of the world when the frame was made, microseconds UTC, `i64` |
//! | 4 | samples left out since the last frame because the client read slowly, `u32` |
//! | 4 | number of samples `n`, `u32` |
//! | 4 | bytes of text `t`, `u32` |
//! | 4 `n` | point: index in the catalogue, `u32` |
//! | 8 `n` | time, microseconds UTC, `i64` |
//! | 8 `n` | value: number as `f64`; bool 0 or 1, choice index, or text as offset (low 32 bits) and length (high 32 bits) into the text, as `u64` |
//! | `n` | type of the value: 0 number, 1 bool, 2 choice, 3 text |
//! | `n` | quality: 0 good, 1 uncertain, 2 bad, 3 stale |
//! | `t` | the texts, UTF-8 |

use campanile_model::{PointId, Quality, Timestamp, Value};

use crate::limits::{MAX_FRAME_BYTES, MAX_FRAME_SAMPLES};

const MAGIC: [u8; 2] = *b"CF";
const LAYOUT: u8 = 1;
const HEADER: usize = 40;
/// Bytes of one sample without text.
const ROW: usize = 4 + 8 + 8 + 1 + 1;

/// Whether a frame replaces or adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    /// The current value of every point of the subscription that has one.
    Snapshot = 0,
    /// What came since, in order.
    Delta = 1,
}

/// One sample of a frame: a point's index in the catalogue, and its reading.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameSample {
    /// Index in [`crate::Catalogue::points`].
    pub point: PointId,
    /// When it was measured.
    pub time: Timestamp,
    /// What was measured.
    pub value: Value,
    /// How far to trust it.
    pub quality: Quality,
}

/// Many samples. [`DataFrame::encode`] and [`DataFrame::decode`] are inverse to each other.
#[derive(Clone, Debug, PartialEq)]
pub struct DataFrame {
    /// Whether it replaces or adds.
    pub kind: FrameKind,
    /// Whether more frames of the same snapshot follow.
    pub more: bool,
    /// The subscription that it serves.
    pub subscription: u32,
    /// Counts the frames of the connection from 0: a client notices what it missed.
    pub sequence: u64,
    /// The time of the world when the frame was made.
    pub time: Timestamp,
    /// How many samples were left out since the frame before because the client read slowly.
    pub conflated: u32,
    /// The samples; of one point in the order of their arrival.
    pub samples: Vec<FrameSample>,
}

/// Why bytes are not a frame, or samples don't fit one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// It doesn't begin as a frame does.
    #[error("the message is not a data frame")]
    NotAFrame,
    /// Another layout.
    #[error("the frame has layout {0}, this program reads 1: use the same version as the hub")]
    Layout(u8),
    /// More than a frame may have.
    #[error("the frame has {got} {what}, at most {limit} may stand: split it")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// How many.
        got: usize,
        /// How many may stand.
        limit: usize,
    },
    /// The length doesn't fit the header.
    #[error("the frame has {got} bytes where its header says {expected}")]
    Length {
        /// Bytes there are.
        got: usize,
        /// Bytes the header says.
        expected: usize,
    },
    /// A field has a value that means nothing.
    #[error("sample {index} of the frame: {what}")]
    Field {
        /// Which sample.
        index: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The header has a value that means nothing.
    #[error("the header of the frame: {0}")]
    Header(&'static str),
}

impl DataFrame {
    /// The bytes of the frame.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`] where samples or bytes are too many, [`FrameError::Field`] where a
    /// number is not finite or a text too long.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        let n = self.samples.len();
        if n > MAX_FRAME_SAMPLES {
            return Err(FrameError::TooLarge { what: "samples", got: n, limit: MAX_FRAME_SAMPLES });
        }
        let mut texts: Vec<u8> = Vec::new();
        let mut words = Vec::with_capacity(n);
        for (index, sample) in self.samples.iter().enumerate() {
            words.push(match &sample.value {
                Value::Number(x) if x.is_finite() => (0u8, x.to_bits()),
                Value::Number(_) => return Err(FrameError::Field { index, what: "a number is not finite" }),
                Value::Bool(b) => (1, u64::from(*b)),
                Value::Choice(c) => (2, u64::from(*c)),
                Value::Text(text) => {
                    if text.len() > Value::MAX_TEXT {
                        return Err(FrameError::Field { index, what: "a text is too long" });
                    }
                    let word = texts.len() as u64 | ((text.len() as u64) << 32);
                    texts.extend_from_slice(text.as_bytes());
                    (3, word)
                }
            });
        }
        let total = HEADER + n * ROW + texts.len();
        if total > MAX_FRAME_BYTES {
            return Err(FrameError::TooLarge { what: "bytes", got: total, limit: MAX_FRAME_BYTES });
        }
        let mut out = Vec::with_capacity(total);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[LAYOUT, self.kind as u8, u8::from(self.more), 0, 0, 0]);
        out.extend_from_slice(&self.subscription.to_le_bytes());
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(&self.time.0.to_le_bytes());
        out.extend_from_slice(&self.conflated.to_le_bytes());
        out.extend_from_slice(&(n as u32).to_le_bytes());
        out.extend_from_slice(&(texts.len() as u32).to_le_bytes());
        self.samples.iter().for_each(|s| out.extend_from_slice(&s.point.0.to_le_bytes()));
        self.samples.iter().for_each(|s| out.extend_from_slice(&s.time.0.to_le_bytes()));
        words.iter().for_each(|(_, word)| out.extend_from_slice(&word.to_le_bytes()));
        out.extend(words.iter().map(|(tag, _)| *tag));
        out.extend(self.samples.iter().map(|s| s.quality as u8));
        out.extend_from_slice(&texts);
        Ok(out)
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// [`FrameError`] for anything that [`DataFrame::encode`] would not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        if bytes.len() < 3 || bytes[..2] != MAGIC {
            return Err(FrameError::NotAFrame);
        }
        if bytes[2] != LAYOUT {
            return Err(FrameError::Layout(bytes[2]));
        }
        let Some((header, body)) = bytes.split_at_checked(HEADER) else {
            return Err(FrameError::Length { got: bytes.len(), expected: HEADER });
        };
        if bytes.len() > MAX_FRAME_BYTES {
            return Err(FrameError::TooLarge { what: "bytes", got: bytes.len(), limit: MAX_FRAME_BYTES });
        }
        let kind = match header[3] {
            0 => FrameKind::Snapshot,
            1 => FrameKind::Delta,
            _ => return Err(FrameError::Header("its kind is unknown")),
        };
        if header[4] > 1 || header[5..8] != [0, 0, 0] {
            return Err(FrameError::Header("a reserved bit is set"));
        }
        let n = u32_at(header, 32) as usize;
        let text_len = u32_at(header, 36) as usize;
        if n > MAX_FRAME_SAMPLES {
            return Err(FrameError::TooLarge { what: "samples", got: n, limit: MAX_FRAME_SAMPLES });
        }
        // A page in a browser counts with 32 bits.
        let expected = (HEADER + n * ROW).saturating_add(text_len);
        if bytes.len() != expected {
            return Err(FrameError::Length { got: bytes.len(), expected });
        }
        let (points, rest) = body.split_at(4 * n);
        let (times, rest) = rest.split_at(8 * n);
        let (words, rest) = rest.split_at(8 * n);
        let (tags, rest) = rest.split_at(n);
        let (qualities, texts) = rest.split_at(n);
        let mut samples = Vec::with_capacity(n);
        for index in 0..n {
            let word = u64_at(words, 8 * index);
            let value =
                read_value(tags[index], word, texts).map_err(|what| FrameError::Field { index, what })?;
            let quality = Quality::from_u8(qualities[index])
                .ok_or(FrameError::Field { index, what: "its quality is unknown" })?;
            samples.push(FrameSample {
                point: PointId(u32_at(points, 4 * index)),
                time: Timestamp(u64_at(times, 8 * index) as i64),
                value,
                quality,
            });
        }
        Ok(Self {
            kind,
            more: header[4] == 1,
            subscription: u32_at(header, 8),
            sequence: u64_at(header, 12),
            time: Timestamp(u64_at(header, 20) as i64),
            conflated: u32_at(header, 28),
            samples,
        })
    }
}

fn read_value(tag: u8, word: u64, texts: &[u8]) -> Result<Value, &'static str> {
    match tag {
        0 => {
            let x = f64::from_bits(word);
            if x.is_finite() { Ok(Value::Number(x)) } else { Err("a number is not finite") }
        }
        1 if word <= 1 => Ok(Value::Bool(word == 1)),
        1 => Err("a bool is neither 0 nor 1"),
        2 => u16::try_from(word).map(Value::Choice).map_err(|_| "a choice is too large"),
        3 => {
            let (offset, length) = ((word & 0xffff_ffff) as usize, (word >> 32) as usize);
            if length > Value::MAX_TEXT {
                return Err("a text is too long");
            }
            let end = offset.checked_add(length).ok_or("a text lies outside the texts")?;
            let bytes = texts.get(offset..end).ok_or("a text lies outside the texts")?;
            let text = std::str::from_utf8(bytes).map_err(|_| "a text is not UTF-8")?;
            Ok(Value::Text(text.into()))
        }
        _ => Err("its type is unknown"),
    }
}

/// The caller has checked that four bytes stand at `at`.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

/// The caller has checked that eight bytes stand at `at`.
fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Value::Number),
            any::<bool>().prop_map(Value::Bool),
            any::<u16>().prop_map(Value::Choice),
            ".{0,20}".prop_map(|s| Value::Text(s.as_str().into())),
        ]
    }

    fn any_sample() -> impl Strategy<Value = FrameSample> {
        (any::<u32>(), any::<i64>(), any_value(), 0u8..4).prop_map(|(point, time, value, quality)| {
            FrameSample {
                point: PointId(point),
                time: Timestamp(time),
                value,
                quality: Quality::from_u8(quality).unwrap(),
            }
        })
    }

    fn any_frame() -> impl Strategy<Value = DataFrame> {
        let head = (any::<bool>(), any::<bool>(), any::<u32>(), any::<u64>(), any::<i64>(), any::<u32>());
        (head, proptest::collection::vec(any_sample(), 0..40)).prop_map(
            |((delta, more, subscription, sequence, time, conflated), samples)| DataFrame {
                kind: if delta { FrameKind::Delta } else { FrameKind::Snapshot },
                more,
                subscription,
                sequence,
                time: Timestamp(time),
                conflated,
                samples,
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(frame in any_frame()) {
            let bytes = frame.encode().unwrap();
            prop_assert_eq!(DataFrame::decode(&bytes).unwrap(), frame);
        }

        #[test]
        fn garbage_is_an_error_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = DataFrame::decode(&bytes);
        }

        /// Random bytes seldom get past the header, so a good frame is bent in one place. What still
        /// reads must be a frame that writes back to the same content.
        #[test]
        fn a_bent_frame_is_an_error_or_another_frame(frame in any_frame(), at in any::<prop::sample::Index>(), with in any::<u8>()) {
            let mut bytes = frame.encode().unwrap();
            let at = at.index(bytes.len());
            bytes[at] = with;
            if let Ok(read) = DataFrame::decode(&bytes) {
                let again = read.encode().unwrap();
                prop_assert_eq!(DataFrame::decode(&again).unwrap(), read);
            }
        }

        #[test]
        fn a_cut_frame_is_an_error(frame in any_frame(), at in any::<prop::sample::Index>()) {
            let bytes = frame.encode().unwrap();
            prop_assert!(DataFrame::decode(&bytes[..at.index(bytes.len())]).is_err());
        }
    }

    fn frame(samples: Vec<FrameSample>) -> DataFrame {
        DataFrame {
            kind: FrameKind::Delta,
            more: false,
            subscription: 1,
            sequence: 2,
            time: Timestamp(3),
            conflated: 4,
            samples,
        }
    }

    fn sample(value: Value) -> FrameSample {
        FrameSample { point: PointId(5), time: Timestamp(6), value, quality: Quality::Stale }
    }

    #[test]
    fn the_layout_is_as_documented() {
        let bytes = frame(vec![sample(Value::Text("ok".into()))]).encode().unwrap();
        assert_eq!(
            bytes,
            [
                b'C', b'F', 1, 1, 0, 0, 0, 0, // magic, layout, kind, flags, zeros
                1, 0, 0, 0, // subscription
                2, 0, 0, 0, 0, 0, 0, 0, // sequence
                3, 0, 0, 0, 0, 0, 0, 0, // time
                4, 0, 0, 0, // conflated
                1, 0, 0, 0, // samples
                2, 0, 0, 0, // bytes of text
                5, 0, 0, 0, // point
                6, 0, 0, 0, 0, 0, 0, 0, // time
                0, 0, 0, 0, 2, 0, 0, 0, // offset 0, length 2
                3, // text
                3, // stale
                b'o', b'k',
            ]
        );
    }

    #[test]
    fn limits_hold_on_both_sides() {
        let many = frame(vec![sample(Value::Bool(true)); MAX_FRAME_SAMPLES + 1]);
        assert!(matches!(many.encode(), Err(FrameError::TooLarge { what: "samples", .. })));
        let nan = frame(vec![sample(Value::Number(f64::NAN))]);
        assert_eq!(nan.encode(), Err(FrameError::Field { index: 0, what: "a number is not finite" }));
        let mut bytes = frame(Vec::new()).encode().unwrap();
        bytes[2] = 9;
        assert_eq!(DataFrame::decode(&bytes), Err(FrameError::Layout(9)));
        let mut bytes = frame(Vec::new()).encode().unwrap();
        bytes[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(DataFrame::decode(&bytes), Err(FrameError::TooLarge { what: "samples", .. })));
    }
}
