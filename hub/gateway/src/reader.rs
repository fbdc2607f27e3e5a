//! What the gateway would make of a message, without a broker.

use campanile_model::{Campus, Sample, Timestamp};

use crate::parse::read_message;
use crate::topics::TopicTable;

/// Reads messages by the bindings of a campus, as [`crate::Gateway`] does: to try a binding, and to test the reading.
#[derive(Debug)]
pub struct MessageReader(TopicTable);

impl MessageReader {
    /// A reader of the messages that a campus is bound to.
    pub fn new(campus: &Campus) -> Self {
        Self(TopicTable::new(campus))
    }

    /// The topics that something is bound to.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.0.entries.iter().filter(|entry| !entry.targets.is_empty()).map(|entry| &*entry.topic)
    }

    /// The samples of a message that arrived at `arrival`, and what could not be read of it; nothing of a topic that
    /// nothing is bound to.
    pub fn read(&self, topic: &str, payload: &[u8], arrival: Timestamp) -> (Vec<Sample>, Vec<String>) {
        let (mut samples, mut faults) = (Vec::new(), Vec::new());
        if let Some(entry) = self.0.index.get(topic).and_then(|i| self.0.entries.get(*i as usize)) {
            read_message(entry, payload, arrival, &mut samples, |why| faults.push(why.into_owned()));
        }
        (samples, faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_without_a_broker() {
        let scene = format!("{}/../model/tests/scene", env!("CARGO_MANIFEST_DIR"));
        let read = |name: &str| std::fs::read(format!("{scene}/{name}")).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("terrain.tif"), b"II*").unwrap();
        let loaded = campanile_model::load_bytes(dir.path(), &read("plan.json"), &read("campus.toml"));
        let reader = MessageReader::new(&loaded.campus.unwrap());
        let topic = reader.topics().find(|t| t.ends_with("/co2")).unwrap().to_owned();
        let at = Timestamp(5);
        let (samples, faults) = reader.read(&topic, br#"{"value": 800, "time": 1700000000000}"#, at);
        assert_eq!((samples.len(), faults), (1, vec![]));
        let (samples, faults) = reader.read(&topic, b"{}", at);
        assert_eq!(samples, []);
        assert!(faults[0].contains("/value"), "{faults:?}");
        assert_eq!(reader.read("elsewhere", b"1", at), (vec![], vec![]));
    }
}
