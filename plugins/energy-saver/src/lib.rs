//! Room by room air-conditioning.
