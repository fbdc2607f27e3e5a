#![allow(clippy::unwrap_used)]
mod plans;
use plans::*;
use campanile_crowd::*;

fn cpu() -> f64 { std::fs::read_to_string("/proc/thread-self/schedstat").unwrap().split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9 }
fn weidmann(rho: f64) -> f64 { 1.34 * (1.0 - (-1.913 * (1.0 / rho - 1.0 / 5.4)).exp()) }

#[test]
fn fd() {
    let mut err = 0.0; let mut n = 0.0;
    for rho in [0.3, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0] {
        let (l, w) = (80.0, 5.0);
        let count = (rho * l * w) as u32;
        let input = CrowdInput {
            spaces: vec![room("c", 0.0, 0.0, l, w)],
            goals: vec![gate("out", 0, l - 1.0, 0.0, l, w)],
            profiles: vec![walker(1.34)],
            groups: vec![group("people", 0, count)],
            seed: 1, doors: vec![],
        };
        let mut c = Crowd::new(input.clone()).unwrap();
        send_all(&mut c, &input);
        c.step(5.0, 1);
        let (mut v, mut k, mut d) = (0.0, 0.0, 0.0);
        let t0 = cpu();
        let mut steps = 0;
        for _ in 0..50 {
            for p in c.people().filter(|p| p.state == State::Walking && p.at[0] > 25.0 && p.at[0] < 50.0) { v += p.speed_m_s * p.heading[0]; k += 1.0; }
            d += c.people().filter(|p| p.at[0] > 25.0 && p.at[0] < 50.0).count() as f64 / 25.0 / w / 50.0;
            steps += 4 * c.under_way();
            c.step(0.2, 1);
        }
        let us = (cpu() - t0) * 1e6 / steps as f64;
        let v = v / k;
        println!("rho {rho} measured {d:.2} v {v:.3} weidmann {:.3} err {:+.1}% overlap {:.4} {us:.2} us", weidmann(d), (v / weidmann(d) - 1.0) * 100.0, overlap(&c));
        err += (v / weidmann(d) - 1.0).abs(); n += 1.0;
    }
    println!("mean err {:.1} %", err / n * 100.0);
}

#[test]
fn doors() {
    for width in [0.8, 0.9, 1.2, 1.8, 2.4, 4.8] {
        let mut flows = vec![]; let mut stuck = 0; let mut us = 0.0;
        for seed in 0..3 {
            let input = door_room(200, width, seed);
            let mut c = Crowd::new(input.clone()).unwrap();
            send_all(&mut c, &input);
            let t0 = cpu();
            let mut steps = 0.0;
            let mut times = vec![];
            while c.under_way() > 0 && c.time_s() < 600.0 {
                steps += c.under_way() as f64 * 5.0;
                c.step(0.25, 1);
                let f = c.doors()[0].forth as usize;
                while times.len() < f { times.push(c.time_s()); }
            }
            us += (cpu() - t0) * 1e6 / steps / 3.0;
            stuck += c.under_way();
            if times.len() > 180 { flows.push(140.0 / (times[179] - times[39]) / width); }
        }
        println!("width {width} flows {flows:.3?} stuck {stuck} {us:.2} us");
    }
}
