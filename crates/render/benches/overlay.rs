//! How long it takes to hold a template against 10,000 hosts: when it can tell none of them apart, and when all.

#![expect(clippy::expect_used, reason = "a bench that cannot set itself up ends")]

use std::collections::HashSet;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use thirdboot_lifecycle::Host;
use thirdboot_render::{CheckBase, Overlay, Template};

const HOSTS: u64 = 10_000;

fn hosts() -> Vec<Host> {
    let host = |n: u64| {
        let json = format!(
            r#"{{"name":"node-{n}","role":"runner","labels":{{"rack":"r{}"}}}}"#,
            n % 40
        );
        serde_json::from_str(&json).expect("a host")
    };
    (0..HOSTS).map(host).collect()
}

fn template(inline: &str) -> Template {
    let text = format!(
        "variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n    - path: /etc/motd\n      contents:\n        inline: \"{inline}\"\n"
    );
    Template::parse("motd", &text).expect("a template")
}

/// As the server does it: what is seen alike is rendered once.
fn check(hosts: &[Host], template: &Template) -> usize {
    let templates = [template];
    let overlay = Overlay(&templates);
    let base = CheckBase::of(&hosts[0]).expect("a base");
    let mut seen = HashSet::new();
    for host in hosts {
        if seen.insert(overlay.sight(host)) {
            base.check(overlay, host).expect("a valid template");
        }
    }
    seen.len()
}

fn overlay(criterion: &mut Criterion) {
    let hosts = hosts();
    let mut group = criterion.benchmark_group("check of 10,000 hosts");
    group.throughput(Throughput::Elements(HOSTS)).sample_size(10);
    for (name, inline) in [
        ("alike", "fixed"),
        ("40 racks", "{{ host.labels.rack }}"),
        ("told apart", "{{ host.name }}"),
    ] {
        let template = template(inline);
        group.bench_function(name, |bencher| bencher.iter(|| check(black_box(&hosts), &template)));
    }
    group.finish();
}

criterion_group!(benches, overlay);
criterion_main!(benches);
