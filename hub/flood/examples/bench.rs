//! Measures this machine: `cargo run --release -p campanile-flood --example bench`.

fn main() {
    for figure in campanile_flood::bench::run() {
        println!("{}: {:.1} M {} ({})", figure.name, figure.value / 1e6, figure.unit, figure.reference);
    }
}
