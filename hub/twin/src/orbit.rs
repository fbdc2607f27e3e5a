//! The camera's mathematics: it turns around a target.

use bevy::math::{Mat3, Vec2, Vec3};

/// The vertical field of view, radians.
pub const FIELD_OF_VIEW_RAD: f32 = 0.70;

/// A box around something, in the scene's axes, metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The lowest corner.
    pub min: Vec3,
    /// The highest corner.
    pub max: Vec3,
}

impl Bounds {
    /// The box that holds nothing; [`Bounds::include`] makes it grow.
    pub const EMPTY: Bounds = Bounds { min: Vec3::INFINITY, max: Vec3::NEG_INFINITY };

    /// Grows to hold a point.
    pub fn include(&mut self, point: Vec3) {
        self.min = self.min.min(point);
        self.max = self.max.max(point);
    }

    /// The box that holds both.
    pub fn union(self, other: Bounds) -> Bounds {
        Bounds { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        !(self.min.cmple(self.max).all())
    }

    /// The middle.
    pub fn centre(&self) -> Vec3 {
        (self.min + self.max) * 0.5
    }

    /// From the middle to a corner.
    pub fn radius(&self) -> f32 {
        if self.is_empty() { 0.0 } else { (self.max - self.min).length() * 0.5 }
    }
}

/// Where the camera is and looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Orbit {
    /// What it looks at.
    pub target: Vec3,
    /// How far it is from there, metres.
    pub distance: f32,
    /// Where it stands around the target: 0 south of it, clockwise seen from above, radians.
    pub yaw: f32,
    /// How steeply it looks down, radians.
    pub pitch: f32,
}

impl Default for Orbit {
    fn default() -> Self {
        Self { target: Vec3::ZERO, distance: 300.0, yaw: -0.5, pitch: 0.6 }
    }
}

impl Orbit {
    const MIN_DISTANCE: f32 = 2.0;
    const MAX_DISTANCE: f32 = 2500.0;
    const MIN_PITCH: f32 = 0.03;
    const MAX_PITCH: f32 = 1.55;

    /// Where the camera stands.
    pub fn eye(&self) -> Vec3 {
        let (sin_yaw, cos_yaw) = self.yaw.sin_cos();
        let (sin_pitch, cos_pitch) = self.pitch.sin_cos();
        self.target + Vec3::new(-sin_yaw * cos_pitch, sin_pitch, cos_yaw * cos_pitch) * self.distance
    }

    /// The camera's axes as columns: right, up, back.
    pub fn axes(&self) -> Mat3 {
        let back = (self.eye() - self.target).normalize_or(Vec3::Z);
        let right = Vec3::Y.cross(back).normalize_or(Vec3::X);
        Mat3::from_cols(right, back.cross(right), back)
    }

    /// Turns by a drag over the screen, in parts of its height.
    pub fn turn(&mut self, drag: Vec2) {
        self.yaw += drag.x * 3.0;
        self.pitch += drag.y * 2.0;
        self.clamp();
    }

    /// Moves the target so that the ground follows the pointer, in parts of the screen's height.
    pub fn pan(&mut self, drag: Vec2) {
        let height_m = 2.0 * self.distance * (FIELD_OF_VIEW_RAD * 0.5).tan();
        let axes = self.axes();
        let forward = Vec3::new(-axes.z_axis.x, 0.0, -axes.z_axis.z).normalize_or(Vec3::NEG_Z);
        // Looking flat, a drag upwards has to cover more ground.
        let stretch = 1.0 / self.pitch.sin().max(0.3);
        self.target += (axes.x_axis * -drag.x + forward * drag.y * stretch) * height_m;
    }

    /// Comes closer by notches of the wheel.
    pub fn zoom(&mut self, notches: f32) {
        self.distance *= 0.88f32.powf(notches);
        self.clamp();
    }

    /// Flies: right, up and forward as parts of full speed, for a time.
    pub fn fly(&mut self, wish: Vec3, seconds: f32) {
        let axes = self.axes();
        let forward = Vec3::new(-axes.z_axis.x, 0.0, -axes.z_axis.z).normalize_or(Vec3::NEG_Z);
        let speed_m_s = self.distance.clamp(10.0, 400.0) * 0.8;
        self.target += (axes.x_axis * wish.x + Vec3::Y * wish.y + forward * wish.z) * speed_m_s * seconds;
    }

    /// Looks at a box so that it fills the picture, from the same side. `aspect` is width to height.
    pub fn fit(&self, bounds: Bounds, aspect: f32, margin: f32) -> Orbit {
        let half = (FIELD_OF_VIEW_RAD * 0.5).tan() * aspect.min(1.0);
        let distance = (bounds.radius().max(1.0) * margin / half.atan().sin()).max(Self::MIN_DISTANCE);
        let mut fitted = Orbit { target: bounds.centre(), distance, ..*self };
        fitted.clamp();
        fitted
    }

    /// Comes closer to a goal, by half in a time of 0.12 s.
    pub fn approach(&mut self, goal: &Orbit, seconds: f32) {
        let part = 1.0 - 0.5f32.powf(seconds / 0.12);
        self.target = self.target.lerp(goal.target, part);
        // By ratio, so that coming close looks as even as going away.
        self.distance *= (goal.distance / self.distance).powf(part);
        let turn = (goal.yaw - self.yaw + std::f32::consts::PI).rem_euclid(std::f32::consts::TAU)
            - std::f32::consts::PI;
        self.yaw += turn * part;
        self.pitch += (goal.pitch - self.pitch) * part;
        // Less is not seen; and what never arrives is drawn anew for ever.
        const CLOSE: f32 = 2e-4;
        let is_there = self.target.distance(goal.target) < CLOSE * goal.distance
            && (self.distance / goal.distance - 1.0).abs() < CLOSE
            && turn.abs() * (1.0 - part) < CLOSE
            && (goal.pitch - self.pitch).abs() < CLOSE;
        if is_there {
            *self = *goal;
        }
    }

    /// Keeps what is looked at within a box and some way around it, so that nobody gets lost.
    pub fn keep_near(&mut self, bounds: Bounds) {
        if bounds.is_empty() {
            return;
        }
        let around = Vec3::splat(bounds.radius().max(50.0) * 0.6);
        self.target = self.target.clamp(bounds.min - around, bounds.max + around);
    }

    /// Within the camera's limits.
    pub fn clamped(mut self) -> Orbit {
        self.clamp();
        self
    }

    fn clamp(&mut self) {
        self.distance = self.distance.clamp(Self::MIN_DISTANCE, Self::MAX_DISTANCE);
        self.pitch = self.pitch.clamp(Self::MIN_PITCH, Self::MAX_PITCH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_flies_out_of_sight_of_the_campus() {
        let campus = Bounds { min: Vec3::new(-100.0, 0.0, -100.0), max: Vec3::new(100.0, 20.0, 100.0) };
        let mut orbit = Orbit { target: Vec3::ZERO, distance: 300.0, yaw: 0.3, pitch: 0.5 };
        for _ in 0..1000 {
            orbit.fly(Vec3::new(1.0, 1.0, 1.0), 0.1);
            orbit.keep_near(campus);
        }
        assert!((orbit.target - campus.centre()).length() < 3.0 * campus.radius(), "{}", orbit.target);
        orbit.keep_near(Bounds::EMPTY);
        assert!(orbit.target.is_finite());
    }

    #[test]
    fn the_eye_stands_where_yaw_and_pitch_say() {
        let south = Orbit { target: Vec3::ZERO, distance: 10.0, yaw: 0.0, pitch: 0.03 };
        assert!((south.eye() - Vec3::new(0.0, 0.3, 10.0)).length() < 0.01, "{}", south.eye());
        let west = Orbit { yaw: std::f32::consts::FRAC_PI_2, ..south };
        assert!((west.eye() - Vec3::new(-10.0, 0.3, 0.0)).length() < 0.01, "{}", west.eye());
        let axes = south.axes();
        assert!(axes.x_axis.abs_diff_eq(Vec3::X, 1e-3) && axes.determinant() > 0.999);
    }

    #[test]
    fn limits_hold_whatever_the_drag() {
        let mut orbit = Orbit::default();
        orbit.turn(Vec2::new(0.0, 100.0));
        assert!(orbit.pitch < std::f32::consts::FRAC_PI_2);
        orbit.turn(Vec2::new(0.0, -100.0));
        assert!(orbit.pitch > 0.0, "the camera stays above ground");
        orbit.zoom(1000.0);
        assert_eq!(orbit.distance, Orbit::MIN_DISTANCE);
        orbit.zoom(-1000.0);
        assert_eq!(orbit.distance, Orbit::MAX_DISTANCE);
    }

    #[test]
    fn what_is_fitted_is_in_the_picture() {
        let bounds = Bounds { min: Vec3::new(-50.0, 0.0, -20.0), max: Vec3::new(50.0, 30.0, 20.0) };
        for aspect in [0.5, 1.0, 16.0 / 9.0] {
            let orbit = Orbit::default().fit(bounds, aspect, 1.0);
            let axes = orbit.axes();
            let tan = (FIELD_OF_VIEW_RAD * 0.5).tan();
            for corner in 0..8 {
                let pick = |bit: usize, a: f32, b: f32| if corner >> bit & 1 == 0 { a } else { b };
                let point = Vec3::new(
                    pick(0, bounds.min.x, bounds.max.x),
                    pick(1, bounds.min.y, bounds.max.y),
                    pick(2, bounds.min.z, bounds.max.z),
                );
                let seen = axes.transpose() * (point - orbit.eye());
                assert!(seen.z < 0.0 && seen.y.abs() <= -seen.z * tan * 1.001);
                assert!(seen.x.abs() <= -seen.z * tan * aspect * 1.001, "aspect {aspect}");
            }
        }
    }

    #[test]
    fn flights_end_at_their_goal_the_short_way_round() {
        let mut orbit = Orbit { yaw: 3.0, ..Orbit::default() };
        let goal = Orbit { yaw: -3.0, target: Vec3::new(5.0, 0.0, 5.0), distance: 40.0, pitch: 0.3 };
        orbit.approach(&goal, 0.12);
        assert!(orbit.yaw > 3.0, "through π, not through 0");
        for _ in 0..100 {
            orbit.approach(&goal, 0.1);
        }
        assert!((orbit.eye() - goal.eye()).length() < 0.01);
        assert_eq!(orbit, goal, "and come to rest there");
    }

    #[test]
    fn a_drag_moves_the_ground_with_the_pointer() {
        let mut orbit = Orbit { yaw: 0.0, ..Orbit::default() };
        orbit.pan(Vec2::new(0.1, 0.0));
        assert!(orbit.target.x < 0.0 && orbit.target.z.abs() < 1e-3, "dragging right shows what is left");
    }
}
