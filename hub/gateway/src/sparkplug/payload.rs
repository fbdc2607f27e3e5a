//! The bytes of Sparkplug B: `org.eclipse.tahu.protobuf.Payload`, as in the schema of section 6.4.1 of the
//! specification 3.0, read and written by hand.
//!
//! A payload comes from outside, so reading it never copies, never recurses and never trusts a length: what is of no
//! use here (templates, data sets, metadata, extensions) is stepped over whole, and whatever has more metrics or
//! longer texts than the limits below is refused with the reason.

use std::borrow::Cow;

use crate::parse::Why;

/// The most metrics of one payload.
pub const MAX_METRICS: usize = 20_000;
/// The longest name of a metric, bytes.
pub const MAX_NAME: usize = 1024;
/// The longest text value, bytes; a point takes less.
pub const MAX_TEXT: usize = 64 * 1024;
/// The most properties of a metric that are looked through for its quality.
const MAX_PROPERTIES: usize = 256;

/// The types of metrics (section 6.4.16), as numbers on the wire.
pub mod datatype {
    #![allow(missing_docs)]
    pub const UNKNOWN: u32 = 0;
    pub const INT8: u32 = 1;
    pub const INT16: u32 = 2;
    pub const INT32: u32 = 3;
    pub const INT64: u32 = 4;
    pub const UINT8: u32 = 5;
    pub const UINT16: u32 = 6;
    pub const UINT32: u32 = 7;
    pub const UINT64: u32 = 8;
    pub const FLOAT: u32 = 9;
    pub const DOUBLE: u32 = 10;
    pub const BOOLEAN: u32 = 11;
    pub const STRING: u32 = 12;
    pub const DATE_TIME: u32 = 13;
    pub const TEXT: u32 = 14;
    pub const UUID: u32 = 15;

    /// The name of a type, for people.
    pub fn name(datatype: u32) -> &'static str {
        const NAMES: [&str; 20] = [
            "Unknown", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float",
            "Double", "Boolean", "String", "DateTime", "Text", "UUID", "DataSet", "Bytes", "File",
            "Template",
        ];
        match datatype {
            20 | 21 => "PropertySet",
            22..=34 => "an array",
            other => NAMES.get(other as usize).copied().unwrap_or("an unknown type"),
        }
    }
}

/// A message of a node, or to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payload<'a> {
    /// When it was sent, milliseconds since 1970.
    pub timestamp: Option<u64>,
    /// Its number, 0 to 255.
    pub seq: Option<u64>,
    /// What it says.
    pub metrics: Vec<Metric<'a>>,
}

/// A value with its name or alias.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metric<'a> {
    /// Its name; may be left out of DATA and CMD where there is an alias.
    pub name: Option<Cow<'a, str>>,
    /// The number that stands for its name since the birth.
    pub alias: Option<u64>,
    /// When it was measured, milliseconds since 1970.
    pub timestamp: Option<u64>,
    /// Its type; see [`datatype`].
    pub datatype: Option<u32>,
    /// Whether it is told late and is not the value of now.
    pub is_historical: bool,
    /// Whether it has no value now.
    pub is_null: bool,
    /// The property `Quality`: 0 bad, 192 good, 500 stale (tck-id-payloads-propertyset-quality-value-value).
    pub quality: Option<u32>,
    /// Its value as it stands on the wire.
    pub value: Option<Raw<'a>>,
}

/// A value as it stands on the wire. What it means depends on the type of the metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw<'a> {
    /// `int_value`: up to 32 bits, signed ones as two's complement.
    Int(u32),
    /// `long_value`: 64 bits, signed ones as two's complement.
    Long(u64),
    /// `float_value`.
    Float(f32),
    /// `double_value`.
    Double(f64),
    /// `boolean_value`.
    Boolean(bool),
    /// `string_value`.
    Text(Cow<'a, str>),
    /// Bytes, a data set, a template or an extension: not read further.
    Compound,
}

impl<'a> Payload<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    /// What is wrong with the bytes, or which limit they are beyond.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Why> {
        let mut payload = Payload::default();
        let mut wire = Wire(bytes);
        while let Some((field, value)) = wire.field()? {
            match (field, value) {
                (1, Part::Varint(n)) => payload.timestamp = Some(n),
                (2, Part::Bytes(bytes)) => {
                    if payload.metrics.len() == MAX_METRICS {
                        return Err(format!("the payload has more than {MAX_METRICS} metrics").into());
                    }
                    payload.metrics.push(Metric::decode(bytes)?);
                }
                (3, Part::Varint(n)) => payload.seq = Some(n),
                (1..=3, _) => return Err(wrong_wire(field, "payload")),
                // uuid, body, extensions.
                _ => {}
            }
        }
        Ok(payload)
    }

    /// The bytes of the payload. A value of [`Raw::Compound`] can't be written and is left out.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + self.metrics.len() * 32);
        if let Some(n) = self.timestamp {
            put_varint(&mut out, 1, n);
        }
        for metric in &self.metrics {
            put_bytes(&mut out, 2, &metric.encode());
        }
        if let Some(n) = self.seq {
            put_varint(&mut out, 3, n);
        }
        out
    }
}

impl<'a> Metric<'a> {
    /// A metric by name with a type and a value.
    pub fn new(name: impl Into<Cow<'a, str>>, datatype: u32, value: Raw<'a>) -> Self {
        Self { name: Some(name.into()), datatype: Some(datatype), value: Some(value), ..Self::default() }
    }

    fn decode(bytes: &'a [u8]) -> Result<Self, Why> {
        let mut metric = Metric::default();
        let mut wire = Wire(bytes);
        while let Some((field, value)) = wire.field()? {
            match (field, value) {
                (1, Part::Bytes(b)) => metric.name = Some(text(b, MAX_NAME, "a metric's name")?.into()),
                (2, Part::Varint(n)) => metric.alias = Some(n),
                (3, Part::Varint(n)) => metric.timestamp = Some(n),
                (4, Part::Varint(n)) => metric.datatype = Some(n as u32),
                (5, Part::Varint(n)) => metric.is_historical = n != 0,
                (7, Part::Varint(n)) => metric.is_null = n != 0,
                (9, Part::Bytes(b)) => metric.quality = quality(b)?,
                // Protocol Buffers write a uint32 as a varint that is cut to 32 bits when read.
                (10, Part::Varint(n)) => metric.value = Some(Raw::Int(n as u32)),
                (11, Part::Varint(n)) => metric.value = Some(Raw::Long(n)),
                (12, Part::Fixed32(n)) => metric.value = Some(Raw::Float(f32::from_bits(n))),
                (13, Part::Fixed64(n)) => metric.value = Some(Raw::Double(f64::from_bits(n))),
                (14, Part::Varint(n)) => metric.value = Some(Raw::Boolean(n != 0)),
                (15, Part::Bytes(b)) => {
                    metric.value = Some(Raw::Text(text(b, MAX_TEXT, "a text")?.into()));
                }
                (16..=19, Part::Bytes(_)) => metric.value = Some(Raw::Compound),
                (1..=5 | 7 | 9..=19, _) => return Err(wrong_wire(field, "metric")),
                // is_transient, metadata, extensions.
                _ => {}
            }
        }
        Ok(metric)
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(32);
        if let Some(name) = &self.name {
            put_bytes(&mut out, 1, name.as_bytes());
        }
        let numbers = [(2, self.alias), (3, self.timestamp), (4, self.datatype.map(u64::from))];
        for (field, number) in numbers {
            if let Some(n) = number {
                put_varint(&mut out, field, n);
            }
        }
        for (field, set) in [(5, self.is_historical), (7, self.is_null)] {
            if set {
                put_varint(&mut out, field, 1);
            }
        }
        if let Some(quality) = self.quality {
            let mut value = Vec::new();
            put_varint(&mut value, 1, u64::from(datatype::INT32));
            put_varint(&mut value, 3, u64::from(quality));
            let mut properties = Vec::new();
            put_bytes(&mut properties, 1, b"Quality");
            put_bytes(&mut properties, 2, &value);
            put_bytes(&mut out, 9, &properties);
        }
        match &self.value {
            None | Some(Raw::Compound) => {}
            Some(Raw::Int(n)) => put_varint(&mut out, 10, u64::from(*n)),
            Some(Raw::Long(n)) => put_varint(&mut out, 11, *n),
            Some(Raw::Float(x)) => {
                put_key(&mut out, 12, 5);
                out.extend(x.to_le_bytes());
            }
            Some(Raw::Double(x)) => {
                put_key(&mut out, 13, 1);
                out.extend(x.to_le_bytes());
            }
            Some(Raw::Boolean(b)) => put_varint(&mut out, 14, u64::from(*b)),
            Some(Raw::Text(text)) => put_bytes(&mut out, 15, text.as_bytes()),
        }
        out
    }
}

/// The property `Quality` of a `PropertySet`: keys and values stand in two lists of the same order.
fn quality(bytes: &[u8]) -> Result<Option<u32>, Why> {
    let (mut keys, mut values, mut at) = (0, 0, None);
    let mut found = [None; MAX_PROPERTIES];
    let mut wire = Wire(bytes);
    while let Some((field, part)) = wire.field()? {
        match (field, part) {
            (1, Part::Bytes(key)) => {
                if key == b"Quality" {
                    at = Some(keys);
                }
                keys += 1;
            }
            (2, Part::Bytes(value)) => {
                if let Some(place) = found.get_mut(values) {
                    *place = property_int(value)?;
                }
                values += 1;
            }
            _ => {}
        }
    }
    Ok(at.and_then(|at: usize| found.get(at).copied().flatten()))
}

fn property_int(bytes: &[u8]) -> Result<Option<u32>, Why> {
    let mut wire = Wire(bytes);
    let mut int = None;
    while let Some((field, part)) = wire.field()? {
        if let (3 | 4, Part::Varint(n)) = (field, part) {
            int = u32::try_from(n).ok();
        }
    }
    Ok(int)
}

fn text<'a>(bytes: &'a [u8], limit: usize, what: &str) -> Result<&'a str, Why> {
    if bytes.len() > limit {
        return Err(format!("{what} is longer than {limit} bytes").into());
    }
    std::str::from_utf8(bytes).map_err(|_| format!("{what} is not UTF-8").into())
}

fn wrong_wire(field: u64, of: &str) -> Why {
    format!("field {field} of a {of} is not of the type that Sparkplug B says").into()
}

/// What is left to read of a message in Protocol Buffers.
struct Wire<'a>(&'a [u8]);

/// A field's content, by its wire type.
enum Part<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

impl<'a> Wire<'a> {
    /// The next field; `None` at the end.
    fn field(&mut self) -> Result<Option<(u64, Part<'a>)>, Why> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let part = match key & 7 {
            0 => Part::Varint(self.varint()?),
            1 => Part::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| ENDS)?;
                Part::Bytes(self.take(length)?)
            }
            5 => Part::Fixed32(u32::from_le_bytes(self.array()?)),
            other => return Err(format!("it is not Sparkplug B: wire type {other} is not used there").into()),
        };
        match key >> 3 {
            0 => Err("it is not Sparkplug B: there is no field 0".into()),
            field => Ok(Some((field, part))),
        }
    }

    fn varint(&mut self) -> Result<u64, Why> {
        let mut number = 0_u64;
        for (i, byte) in self.0.iter().enumerate().take(10) {
            number |= u64::from(byte & 0x7f) << (7 * i as u32);
            if byte & 0x80 == 0 {
                if i == 9 && *byte > 1 {
                    break;
                }
                self.0 = self.0.get(i + 1..).unwrap_or_default();
                return Ok(number);
            }
        }
        Err(if self.0.len() < 10 { ENDS.into() } else { "a number has more than 64 bits".into() })
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Why> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(ENDS)?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Why> {
        let (head, rest) = self.0.split_first_chunk().ok_or(ENDS)?;
        self.0 = rest;
        Ok(*head)
    }
}

const ENDS: &str = "the payload ends in the middle of a field";

fn put_key(out: &mut Vec<u8>, field: u64, wire_type: u64) {
    raw_varint(out, field << 3 | wire_type);
}

fn put_varint(out: &mut Vec<u8>, field: u64, number: u64) {
    put_key(out, field, 0);
    raw_varint(out, number);
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_key(out, field, 2);
    raw_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn raw_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
