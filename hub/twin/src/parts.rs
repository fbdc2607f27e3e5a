//! Nodes that stand in the same place of the same building and look alike are drawn as one mesh.
//!
//! A campus has tens of thousands of nodes, most of them a desk or a pane; what a frame costs follows the number of
//! things that are drawn, so they are few: one for each kind and material of a storey. What is done to single nodes (one
//! room alone, a lit window, the colour of a floor) is done by the triangles that are drawn: each part has a second look,
//! which its other nodes have, and nodes that have neither are hidden.

use std::collections::{BTreeMap, BTreeSet};

use bevy::asset::RenderAssetUsages;
use bevy::light::NotShadowCaster;
use bevy::math::{Mat3, Mat4};
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;

use crate::orbit::Bounds;
use crate::scene_file::{MeshData, SceneFile};
use crate::storeys::{NodePlace, Storeys};

/// A mesh with more vertices than this, all its nodes taken together, is drawn by instances.
const INSTANCES_FROM: usize = 1_000_000;

/// Which part an entity draws, and which of its two looks.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrawnPart {
    /// The index in [`Parts::list`].
    pub part: usize,
    /// Whether it is the second look.
    pub is_other: bool,
}

/// The piece of a part that is one node.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// The node in the file.
    pub node: usize,
    vertices: u32,
    indices: std::ops::Range<u32>,
    is_hidden: bool,
    is_other: bool,
    colour: [f32; 4],
}

/// One of the looks of a part, as it is drawn.
#[derive(Clone, Debug)]
struct Look {
    entity: Entity,
    mesh: Handle<Mesh>,
}

/// Nodes that are drawn as one mesh.
#[derive(Debug)]
pub struct Part {
    /// What the nodes are.
    pub kind: String,
    /// Where they belong: the same for all.
    pub place: NodePlace,
    /// The material of the first look.
    pub material: Handle<StandardMaterial>,
    /// The material of the second look, where it has one.
    second: Option<Handle<StandardMaterial>>,
    /// Its nodes, in the order of their triangles.
    pub pieces: Vec<Piece>,
    /// Where its middle is drawn where nothing is lifted.
    pub origin: Vec3,
    /// How much higher it is drawn.
    lift_m: f32,
    /// Whether a slice hides all of it, and whether it is too far to be seen.
    is_sliced: bool,
    is_far: bool,
    /// Drawn instead of the first look's material.
    instead: Option<Handle<StandardMaterial>>,
    indices: Vec<u32>,
    own: Look,
    other: Option<Look>,
    /// Whether triangles or colours are to be written anew; and place, material and visibility.
    is_piecewise_changed: bool,
    is_changed: bool,
}

/// The floor of a space.
#[derive(Clone, Debug, PartialEq)]
pub struct Floor {
    /// The path of the space.
    pub path: String,
    /// Where it is drawn.
    pub at: At,
}

/// A piece of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// The index in [`Parts::list`].
    pub part: usize,
    /// The index in [`Part::pieces`].
    pub piece: usize,
}

/// All parts of the scene.
#[derive(Resource, Default)]
pub struct Parts {
    /// The parts.
    pub list: Vec<Part>,
    /// The floors of the spaces.
    pub floors: Vec<Floor>,
    /// The panes of windows, by node.
    pub panes: Vec<(usize, At)>,
    changed: Vec<usize>,
}

/// What nodes of one part have in common. Those of a building share what a slice and a lift do to them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    kind: String,
    material: Option<usize>,
    building: Option<usize>,
    level: Option<i32>,
    rises: (usize, i32),
    instance: Option<usize>,
}

/// What a pane or a floor can be drawn with instead.
pub struct Seconds {
    /// Windows that are lit.
    pub lit: Handle<StandardMaterial>,
    /// Floors that have a colour of their own.
    pub painted: Handle<StandardMaterial>,
}

impl Part {
    /// The piece whose triangle was hit in what is drawn of a look.
    pub fn piece_at(&self, is_other: bool, triangle: usize) -> Option<&Piece> {
        let mut first = 0;
        self.pieces.iter().filter(|piece| !piece.is_hidden && piece.is_other == is_other).find(|piece| {
            first += piece.indices.len() / 3;
            triangle < first
        })
    }

    fn triangles(&self, is_other: bool) -> Vec<u32> {
        let drawn = self.pieces.iter().filter(|piece| !piece.is_hidden && piece.is_other == is_other);
        drawn
            .filter_map(|piece| self.indices.get(piece.indices.start as usize..piece.indices.end as usize))
            .flatten()
            .copied()
            .collect()
    }

    fn is_drawn(&self, is_other: bool) -> bool {
        let some = self.pieces.iter().any(|piece| !piece.is_hidden && piece.is_other == is_other);
        some && !self.is_sliced && !self.is_far
    }

    fn at(&self) -> Vec3 {
        self.origin + Vec3::Y * self.lift_m
    }
}

impl Parts {
    /// The node that was hit.
    pub fn node_at(&self, drawn: DrawnPart, triangle: Option<usize>) -> Option<usize> {
        let part = self.list.get(drawn.part)?;
        part.piece_at(drawn.is_other, triangle.unwrap_or_default()).map(|piece| piece.node)
    }

    fn piece(&mut self, at: At) -> Option<&mut Piece> {
        self.list.get_mut(at.part)?.pieces.get_mut(at.piece)
    }

    fn mark(&mut self, part: usize, is_piecewise: bool) {
        let Some(of) = self.list.get_mut(part) else { return };
        if !of.is_changed && !of.is_piecewise_changed {
            self.changed.push(part);
        }
        of.is_changed = true;
        of.is_piecewise_changed |= is_piecewise;
    }

    /// Gives a piece the second look or the first.
    pub fn set_other(&mut self, at: At, is_other: bool) {
        if let Some(piece) = self.piece(at)
            && piece.is_other != is_other
        {
            piece.is_other = is_other;
            self.mark(at.part, true);
        }
    }

    /// Gives a piece the second look in a colour, or the first.
    pub fn paint(&mut self, at: At, colour: Option<Color>) {
        let Some(piece) = self.piece(at) else { return };
        let wanted = colour.map_or(piece.colour, |colour| colour.to_linear().to_f32_array());
        let is_new = piece.colour != wanted || piece.is_other != colour.is_some();
        piece.colour = wanted;
        piece.is_other = colour.is_some();
        if is_new {
            self.mark(at.part, true);
        }
    }

    /// Hides the pieces of which it is said, and shows the others.
    pub fn hide(&mut self, part: usize, is_hidden: impl Fn(usize) -> bool) {
        let Some(of) = self.list.get_mut(part) else { return };
        let mut is_new = false;
        for piece in &mut of.pieces {
            let wanted = is_hidden(piece.node);
            is_new |= piece.is_hidden != wanted;
            piece.is_hidden = wanted;
        }
        if is_new {
            self.mark(part, true);
        }
    }

    /// Hides a whole part, lifts it, and gives it another material than its own.
    pub fn place(
        &mut self,
        part: usize,
        is_sliced: bool,
        lift_m: f32,
        instead: Option<&Handle<StandardMaterial>>,
    ) {
        let Some(of) = self.list.get_mut(part) else { return };
        if (of.is_sliced, of.lift_m, of.instead.as_ref()) == (is_sliced, lift_m, instead) {
            return;
        }
        (of.is_sliced, of.lift_m, of.instead) = (is_sliced, lift_m, instead.cloned());
        self.mark(part, false);
    }

    /// Leaves out a part that is too far to be seen, or shows it again.
    pub fn set_far(&mut self, part: usize, is_far: bool) {
        let Some(of) = self.list.get_mut(part) else { return };
        if of.is_far != is_far {
            of.is_far = is_far;
            self.mark(part, false);
        }
    }

    /// The colour that a piece is painted with; `None`: it has its first look.
    #[cfg(test)]
    pub fn painted(&self, at: At) -> Option<[f32; 4]> {
        let piece = self.list.get(at.part)?.pieces.get(at.piece)?;
        piece.is_other.then_some(piece.colour)
    }
}

/// Vertices and triangles of a part while it is put together.
#[derive(Default)]
struct Merged {
    positions: Vec<[f32; 3]>,
    normals: Vec<[f32; 3]>,
    colours: Vec<[f32; 4]>,
    indices: Vec<u32>,
    pieces: Vec<Piece>,
}

/// A mesh with normals: flat ones, with vertices of their own, where the file has none.
fn with_normals(mesh: MeshData) -> MeshData {
    if !mesh.normals.is_empty() {
        return mesh;
    }
    let corner = |i: &u32| mesh.positions.get(*i as usize).copied().unwrap_or_default();
    let positions: Vec<[f32; 3]> = mesh.indices.iter().map(corner).collect();
    let normals = positions
        .as_chunks::<3>()
        .0
        .iter()
        .flat_map(|corners| {
            let [a, b, c] = corners.map(Vec3::from_array);
            [(b - a).cross(c - a).normalize_or(Vec3::Y).to_array(); 3]
        })
        .collect();
    let colours = if mesh.colours.is_empty() {
        Vec::new()
    } else {
        mesh.indices.iter().map(|i| mesh.colours.get(*i as usize).copied().unwrap_or([1.0; 4])).collect()
    };
    MeshData { indices: (0..positions.len() as u32).collect(), positions, normals, colours, ..mesh }
}

impl Merged {
    fn add(&mut self, node: usize, mesh: &MeshData, transform: Mat4) {
        let first = self.positions.len() as u32;
        let of_normals = Mat3::from_mat4(transform).inverse().transpose();
        let is_mirrored = transform.determinant() < 0.0;
        self.positions
            .extend(mesh.positions.iter().map(|&p| transform.transform_point3(p.into()).to_array()));
        self.normals.extend(mesh.normals.iter().map(|&n| {
            // A flat thing has no inverse along what it lacks.
            let normal = of_normals * Vec3::from_array(n);
            if normal.is_finite() { normal.normalize_or(n.into()).to_array() } else { n }
        }));
        if !mesh.colours.is_empty() || !self.colours.is_empty() {
            self.colours.resize(first as usize, [1.0; 4]);
            self.colours.extend(mesh.colours.iter().copied());
            self.colours.resize(self.positions.len(), [1.0; 4]);
        }
        let from = self.indices.len() as u32;
        self.indices.extend(mesh.indices.iter().map(|i| first + i));
        if is_mirrored {
            let triangles = self.indices.get_mut(from as usize..).unwrap_or_default();
            triangles.as_chunks_mut::<3>().0.iter_mut().for_each(|triangle| triangle.swap(1, 2));
        }
        self.pieces.push(Piece {
            node,
            vertices: mesh.positions.len() as u32,
            indices: from..self.indices.len() as u32,
            is_hidden: false,
            is_other: false,
            colour: [1.0; 4],
        });
    }

    /// The mesh around its middle.
    fn mesh(&mut self) -> (Mesh, Vec3) {
        let around = self
            .positions
            .iter()
            .fold(Bounds::EMPTY, |all, &p| all.union(Bounds { min: p.into(), max: p.into() }));
        let origin = if around.is_empty() { Vec3::ZERO } else { around.centre() };
        let positions: Vec<[f32; 3]> = std::mem::take(&mut self.positions)
            .into_iter()
            .map(|p| (Vec3::from_array(p) - origin).to_array())
            .collect();
        let mesh = mesh_of(
            positions,
            std::mem::take(&mut self.normals),
            std::mem::take(&mut self.colours),
            self.indices.clone(),
        );
        (mesh, origin)
    }
}

fn mesh_of(
    positions: Vec<[f32; 3]>,
    normals: Vec<[f32; 3]>,
    colours: Vec<[f32; 4]>,
    indices: Vec<u32>,
) -> Mesh {
    let mut mesh = Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::default())
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
        .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
        .with_inserted_indices(Indices::U32(indices));
    if !colours.is_empty() {
        mesh.insert_attribute(Mesh::ATTRIBUTE_COLOR, colours);
    }
    mesh
}

/// What stands in the scene, put together and spawned.
pub struct Build<'a> {
    /// The file, with its meshes.
    pub file: &'a mut SceneFile,
    /// The storeys of the catalogue.
    pub storeys: &'a Storeys,
    /// Where each node belongs.
    pub places: &'a [NodePlace],
    /// The materials, by their index in the file, and one for nodes that have none.
    pub materials: &'a [Handle<StandardMaterial>],
    /// For nodes without a material.
    pub plain: Handle<StandardMaterial>,
    /// For water.
    pub water: Handle<StandardMaterial>,
    /// The second looks.
    pub seconds: Seconds,
}

impl Build<'_> {
    /// Spawns all parts.
    pub fn spawn(self, commands: &mut Commands<'_, '_>, meshes: &mut Assets<Mesh>) -> Parts {
        let sources: Vec<MeshData> =
            std::mem::take(&mut self.file.meshes).into_iter().map(with_normals).collect();
        let mut uses = vec![0_usize; sources.len()];
        for &mesh in self.file.nodes.iter().flat_map(|node| &node.meshes) {
            if let Some(count) = uses.get_mut(mesh) {
                *count += 1;
            }
        }
        let mut groups: BTreeMap<Key, Vec<(usize, usize)>> = BTreeMap::new();
        for (i, node) in self.file.nodes.iter().enumerate() {
            let place = self.places.get(i).cloned().unwrap_or_default();
            for &mesh in &node.meshes {
                let Some(source) = sources.get(mesh) else { continue };
                let count = uses.get(mesh).copied().unwrap_or_default();
                let is_instance = node.kind == "tree" || count * source.positions.len() > INSTANCES_FROM;
                let key = Key {
                    kind: node.kind.clone(),
                    material: source.material,
                    building: place.building,
                    level: place.level,
                    rises: self.storeys.rises(&place),
                    instance: is_instance.then_some(i),
                };
                groups.entry(key).or_default().push((i, mesh));
            }
        }
        let mut shared: BTreeMap<usize, Handle<Mesh>> = BTreeMap::new();
        let mut parts = Parts::default();
        for (key, nodes) in groups {
            let Some(&(first, _)) = nodes.first() else { continue };
            let is_glass =
                key.material.and_then(|m| self.file.materials.get(m)).is_some_and(|material| material.blend);
            let is_pane = is_glass && key.kind == "opening";
            let material = match key.kind.as_str() {
                "water" => self.water.clone(),
                _ => key.material.and_then(|m| self.materials.get(m)).unwrap_or(&self.plain).clone(),
            };
            let mut merged = Merged::default();
            let (mesh, transform) = if key.instance.is_some() {
                // One mesh for all: it is placed by its entity.
                let Some(&(node, mesh)) = nodes.first() else { continue };
                let Some(source) = sources.get(mesh) else { continue };
                merged.add(node, source, Mat4::IDENTITY);
                let handle = shared.entry(mesh).or_insert_with(|| {
                    let all = source;
                    meshes.add(mesh_of(
                        all.positions.clone(),
                        all.normals.clone(),
                        all.colours.clone(),
                        all.indices.clone(),
                    ))
                });
                let at = self.file.nodes.get(node).map_or(Mat4::IDENTITY, |node| node.transform);
                (handle.clone(), Transform::from_matrix(at))
            } else {
                for (node, mesh) in &nodes {
                    if let (Some(source), Some(data)) = (sources.get(*mesh), self.file.nodes.get(*node)) {
                        merged.add(*node, source, data.transform);
                    }
                }
                let (mesh, origin) = merged.mesh();
                (meshes.add(mesh), Transform::from_translation(origin))
            };
            let part = parts.list.len();
            let drawn = DrawnPart { part, is_other: false };
            let mut entity = commands.spawn((
                Mesh3d(mesh.clone()),
                MeshMaterial3d(material.clone()),
                transform,
                Visibility::Inherited,
                drawn,
            ));
            if is_glass || matches!(key.kind.as_str(), "space" | "water" | "ground") {
                entity.insert(NotShadowCaster);
            }
            for (piece, of) in merged.pieces.iter().enumerate() {
                let at = At { part, piece };
                if is_pane {
                    parts.panes.push((of.node, at));
                }
                if key.kind == "space"
                    && let Some(node) = self.file.nodes.get(of.node)
                {
                    parts.floors.push(Floor { path: node.path.clone(), at });
                }
            }
            let second = match key.kind.as_str() {
                "space" => Some(self.seconds.painted.clone()),
                _ if is_pane => Some(self.seconds.lit.clone()),
                _ => None,
            };
            parts.list.push(Part {
                kind: key.kind,
                place: self.places.get(first).cloned().unwrap_or_default(),
                material,
                second,
                pieces: merged.pieces,
                origin: transform.translation,
                lift_m: 0.0,
                is_sliced: false,
                is_far: false,
                instead: None,
                indices: merged.indices,
                own: Look { entity: entity.id(), mesh },
                other: None,
                is_piecewise_changed: false,
                is_changed: false,
            });
        }
        parts
    }
}

/// Removes what was drawn of a scene.
pub fn despawn(parts: &mut Parts, commands: &mut Commands<'_, '_>) {
    for part in parts.list.drain(..) {
        commands.entity(part.own.entity).despawn();
        if let Some(other) = part.other {
            commands.entity(other.entity).despawn();
        }
    }
    *parts = Parts::default();
}

/// Draws the parts that have changed.
pub fn parts_system(
    mut parts: ResMut<'_, Parts>,
    mut commands: Commands<'_, '_>,
    mut meshes: ResMut<'_, Assets<Mesh>>,
    mut drawn: Query<'_, '_, (&mut Visibility, &mut Transform, &mut MeshMaterial3d<StandardMaterial>)>,
) {
    if parts.changed.is_empty() {
        return;
    }
    let parts = &mut *parts;
    let changed: BTreeSet<usize> = std::mem::take(&mut parts.changed).into_iter().collect();
    for i in changed {
        let Some(part) = parts.list.get_mut(i) else { continue };
        if part.is_piecewise_changed {
            write_pieces(part, i, &mut commands, &mut meshes);
        }
        let looks = [(Some(part.own.entity), false), (part.other.as_ref().map(|look| look.entity), true)];
        for (entity, is_other) in looks {
            let Some(entity) = entity else { continue };
            let wanted = if part.is_drawn(is_other) { Visibility::Inherited } else { Visibility::Hidden };
            let own = if is_other { part.second.as_ref() } else { Some(&part.material) };
            // What has just been spawned has all of it.
            let Ok((mut visibility, mut transform, mut material)) = drawn.get_mut(entity) else { continue };
            if *visibility != wanted {
                *visibility = wanted;
            }
            if transform.translation != part.at() {
                transform.translation = part.at();
            }
            if let Some(shown) = part.instead.as_ref().or(own)
                && material.0 != *shown
            {
                material.0 = shown.clone();
            }
        }
        (part.is_changed, part.is_piecewise_changed) = (false, false);
    }
}

/// Writes the triangles of both looks, and the colours of the second.
fn write_pieces(part: &mut Part, index: usize, commands: &mut Commands<'_, '_>, meshes: &mut Assets<Mesh>) {
    let own = part.triangles(false);
    // One mesh may be shared by the parts that have one piece; and nothing is drawn of none.
    let is_same = |mesh: &Mesh, wanted: &[u32]| matches!(mesh.indices(), Some(Indices::U32(now)) if now.as_slice() == wanted);
    if !own.is_empty()
        && part.pieces.len() > 1
        && meshes.get(&part.own.mesh).is_some_and(|mesh| !is_same(mesh, &own))
        && let Some(mut mesh) = meshes.get_mut(&part.own.mesh)
    {
        mesh.insert_indices(Indices::U32(own));
    }
    let other = part.triangles(true);
    let Some(material) = part.second.clone().filter(|_| !other.is_empty()) else { return };
    let colours: Vec<[f32; 4]> = part
        .pieces
        .iter()
        .flat_map(|piece| std::iter::repeat_n(piece.colour, piece.vertices as usize))
        .collect();
    if let Some(look) = &part.other {
        if let Some(mut mesh) = meshes.get_mut(&look.mesh) {
            mesh.insert_attribute(Mesh::ATTRIBUTE_COLOR, colours);
            mesh.insert_indices(Indices::U32(other));
        }
        return;
    }
    let Some(mesh) = meshes.get(&part.own.mesh) else { return };
    let mut mesh = mesh.clone();
    mesh.insert_attribute(Mesh::ATTRIBUTE_COLOR, colours);
    mesh.insert_indices(Indices::U32(other));
    let mesh = meshes.add(mesh);
    let visibility = if part.is_drawn(true) { Visibility::Inherited } else { Visibility::Hidden };
    let shown = part.instead.clone().unwrap_or(material);
    let entity = commands.spawn((
        Mesh3d(mesh.clone()),
        MeshMaterial3d(shown),
        Transform::from_translation(part.at()),
        visibility,
        DrawnPart { part: index, is_other: true },
        NotShadowCaster,
    ));
    part.other = Some(Look { entity: entity.id(), mesh });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene_file::NodeData;

    fn piece(node: usize, indices: std::ops::Range<u32>) -> Piece {
        Piece { node, vertices: 3, indices, is_hidden: false, is_other: false, colour: [1.0; 4] }
    }

    #[test]
    fn a_triangle_tells_its_node_among_what_is_drawn() {
        let look = Look { entity: Entity::PLACEHOLDER, mesh: Handle::default() };
        let mut part = Part {
            kind: "opening".into(),
            place: NodePlace::default(),
            material: Handle::default(),
            second: None,
            pieces: vec![piece(4, 0..6), piece(5, 6..9), piece(6, 9..15)],
            origin: Vec3::ZERO,
            lift_m: 0.0,
            is_sliced: false,
            is_far: false,
            instead: None,
            indices: (0..15).collect(),
            own: look,
            other: None,
            is_piecewise_changed: false,
            is_changed: false,
        };
        let node =
            |part: &Part, is_other, triangle| part.piece_at(is_other, triangle).map(|piece| piece.node);
        assert_eq!([0, 1, 2, 3, 4].map(|t| node(&part, false, t)), [4, 4, 5, 6, 6].map(Some));
        assert_eq!(node(&part, false, 5), None);
        part.pieces[0].is_hidden = true;
        part.pieces[1].is_other = true;
        assert_eq!(node(&part, false, 0), Some(6));
        assert_eq!(node(&part, true, 0), Some(5));
        assert_eq!(part.triangles(false), (9..15).collect::<Vec<u32>>());
        assert_eq!(part.triangles(true), [6, 7, 8]);
    }

    #[test]
    fn merging_keeps_places_facings_and_normals() {
        let mesh = MeshData {
            positions: vec![[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]],
            normals: vec![[0.0, 1.0, 0.0]; 3],
            indices: vec![0, 1, 2],
            ..MeshData::default()
        };
        let mut merged = Merged::default();
        merged.add(0, &mesh, Mat4::from_translation(Vec3::X * 2.0));
        // A mirror turns a triangle round: its corners are named the other way, or it would be seen from below.
        merged.add(1, &mesh, Mat4::from_scale(Vec3::new(-1.0, 1.0, 1.0)));
        // What is flat has a normal too.
        merged.add(2, &mesh, Mat4::from_scale(Vec3::new(1.0, 0.0, 1.0)));
        assert_eq!(merged.positions[1], [2.0, 0.0, 1.0]);
        assert_eq!(merged.indices, [0, 1, 2, 3, 5, 4, 6, 7, 8]);
        assert_eq!(merged.normals, [[0.0, 1.0, 0.0]; 9]);
        let coloured = MeshData { colours: vec![[0.5; 4]; 3], ..mesh };
        merged.add(3, &coloured, Mat4::IDENTITY);
        assert_eq!(merged.colours.len(), merged.positions.len());
        assert_eq!((merged.colours[0], merged.colours[9]), ([1.0; 4], [0.5; 4]), "without colours: white");
        let (_, origin) = merged.mesh();
        assert_eq!(origin, Vec3::new(1.0, 0.0, 0.5), "placed by its middle");
    }

    #[test]
    fn flat_normals_are_made_where_a_file_has_none() {
        let mesh = MeshData {
            positions: vec![[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 1.0]],
            indices: vec![0, 1, 2, 2, 1, 3],
            ..MeshData::default()
        };
        let made = with_normals(mesh);
        assert_eq!((made.positions.len(), made.indices.len()), (6, 6));
        assert_eq!(made.normals, [[0.0, 1.0, 0.0]; 6]);
    }

    #[test]
    fn trees_are_instances_of_one_mesh_and_the_rest_of_a_place_is_one_part() {
        let triangle = MeshData {
            positions: vec![[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]],
            normals: vec![[0.0, 1.0, 0.0]; 3],
            indices: vec![0, 1, 2],
            ..MeshData::default()
        };
        let node = |kind: &str, x: f32| NodeData {
            transform: Mat4::from_translation(Vec3::X * x),
            meshes: vec![0],
            path: String::new(),
            kind: kind.into(),
            storey: None,
            bounds: Bounds { min: Vec3::X * x, max: Vec3::X * (x + 1.0) },
        };
        let mut file = SceneFile {
            meshes: vec![triangle],
            nodes: vec![node("tree", 0.0), node("tree", 3.0), node("object", 6.0), node("object", 9.0)],
            ..SceneFile::default()
        };
        let mut world = World::new();
        let mut meshes = Assets::<Mesh>::default();
        let build = Build {
            file: &mut file,
            storeys: &Storeys::default(),
            places: &[],
            materials: &[],
            plain: Handle::default(),
            water: Handle::default(),
            seconds: Seconds { lit: Handle::default(), painted: Handle::default() },
        };
        let mut queue = bevy::ecs::world::CommandQueue::default();
        let parts = build.spawn(&mut Commands::new(&mut queue, &world), &mut meshes);
        queue.apply(&mut world);
        let kinds: Vec<(&str, usize)> =
            parts.list.iter().map(|part| (part.kind.as_str(), part.pieces.len())).collect();
        assert_eq!(kinds, [("object", 2), ("tree", 1), ("tree", 1)]);
        assert_eq!(parts.list[1].own.mesh, parts.list[2].own.mesh);
        assert_eq!(meshes.len(), 2);
        let at = |part: &Part| world.get::<Transform>(part.own.entity).unwrap().translation;
        assert_eq!((at(&parts.list[2]), at(&parts.list[0])), (Vec3::X * 3.0, Vec3::new(8.0, 0.0, 0.5)));
    }
}
