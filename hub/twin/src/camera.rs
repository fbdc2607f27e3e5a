//! Mouse and keys move the camera.

use bevy::input::mouse::{AccumulatedMouseMotion, AccumulatedMouseScroll, MouseScrollUnit};
use bevy::prelude::*;
use bevy_egui::input::EguiWantsInput;

use crate::app::{Rig, SceneCamera, Twin};
use crate::orbit::FIELD_OF_VIEW_RAD;
use crate::scene3d::Scene3d;

/// Turns what the person does into where the camera should go. Panels come first.
pub fn input_system(
    mut rig: ResMut<'_, Rig>,
    buttons: Res<'_, ButtonInput<MouseButton>>,
    keys: Res<'_, ButtonInput<KeyCode>>,
    motion: Res<'_, AccumulatedMouseMotion>,
    scroll: Res<'_, AccumulatedMouseScroll>,
    twin: Res<'_, Twin>,
    wants: Res<'_, EguiWantsInput>,
    time: Res<'_, Time<Real>>,
    scene: Res<'_, Scene3d>,
) {
    let before = rig.goal;
    let height = rig.screen.y.max(1.0);
    if !twin.view.panel_has_pointer {
        let drag = motion.delta / height;
        if drag != Vec2::ZERO {
            if buttons.pressed(MouseButton::Right) || buttons.pressed(MouseButton::Middle) {
                rig.goal.pan(drag);
            } else if buttons.pressed(MouseButton::Left) {
                rig.goal.turn(drag);
            }
        }
        if scroll.delta.y != 0.0 {
            let notches = match scroll.unit {
                MouseScrollUnit::Line => scroll.delta.y,
                MouseScrollUnit::Pixel => scroll.delta.y / 50.0,
            };
            rig.goal.zoom(notches);
        }
    }
    if !wants.wants_keyboard_input() {
        let axis = |plus: KeyCode, minus: KeyCode| {
            f32::from(u8::from(keys.pressed(plus))) - f32::from(u8::from(keys.pressed(minus)))
        };
        let wish = Vec3::new(
            axis(KeyCode::KeyD, KeyCode::KeyA),
            axis(KeyCode::KeyE, KeyCode::KeyQ),
            axis(KeyCode::KeyW, KeyCode::KeyS),
        );
        if wish != Vec3::ZERO {
            // A slow frame must not carry a person further than a quick one.
            rig.goal.fly(wish, time.delta_secs().min(0.1));
        }
    }
    if rig.goal.target != before.target {
        rig.goal.keep_near(scene.campus_bounds());
    }
}

/// Moves the camera towards its goal.
pub fn move_system(
    mut rig: ResMut<'_, Rig>,
    time: Res<'_, Time<Real>>,
    mut camera: Single<'_, '_, &mut Transform, With<SceneCamera>>,
) {
    let goal = rig.goal;
    let seconds = time.delta_secs().min(0.1);
    rig.now.approach(&goal, seconds);
    let axes = rig.now.axes();
    // Panels cover the sides: the target stands in the middle of what they leave.
    let height_m = 2.0 * rig.now.distance * (FIELD_OF_VIEW_RAD * 0.5).tan();
    let aside = (axes.x_axis * -rig.shift.x + axes.y_axis * rig.shift.y) * height_m;
    let wanted = Transform::from_translation(rig.now.eye() + aside).with_rotation(Quat::from_mat3(&axes));
    if **camera != wanted {
        **camera = wanted;
    }
}
