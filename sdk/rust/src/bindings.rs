//! What `wit-bindgen` makes of the contract. Every interface is imported here once, so that the three worlds share their
//! types; what a plugin does not call is left out of its component.
#![allow(missing_docs, unsafe_code, clippy::all, rust_2018_idioms)]

wit_bindgen::generate!({
    path: "../wit",
    inline: "
        package campanile:sdk;
        world plugin {
            import campanile:plugin/clock@0.1.0;
            import campanile:plugin/log@0.1.0;
            import campanile:plugin/points@0.1.0;
            import campanile:plugin/networks@0.1.0;
            import campanile:plugin/history@0.1.0;
            import campanile:plugin/commands@0.1.0;
            import campanile:plugin/alarms@0.1.0;
            import campanile:plugin/records@0.1.0;
            import campanile:plugin/store@0.1.0;
            import campanile:plugin/panels@0.1.0;
            import campanile:plugin/activities@0.1.0;
            import campanile:plugin/drills@0.1.0;
            export campanile:plugin/handler@0.1.0;
        }
    ",
    // Ours, for the sake of its words: the generated one is shown as `{:?}`.
    with: { "campanile:plugin/types@0.1.0/denial": crate::Denial },
    additional_derives: [PartialEq],
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_handler",
});

/// What an activity exports beside the handler.
#[cfg(feature = "activity")]
pub mod learning {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "package campanile:sdk-learning; world learner { export campanile:plugin/learning@0.1.0; }",
        with: {
            "campanile:plugin/types@0.1.0": super::campanile::plugin::types,
        },
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_learning",
    });
}

/// What a drill exports beside the handler.
#[cfg(feature = "drill")]
pub mod directing {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "package campanile:sdk-directing; world director { export campanile:plugin/directing@0.1.0; }",
        with: {
            "campanile:plugin/types@0.1.0": super::campanile::plugin::types,
        },
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_directing",
    });
}
