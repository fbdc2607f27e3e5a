//! Field protocols to samples and commands: MQTT.
