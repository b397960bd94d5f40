//! calltable
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
fn main() {
    use calltable::convert::*;
    let a: Vec<String> = std::env::args().collect();
    let inputs = calltable::source::inputs::expand(&[&a[1]], &[]).unwrap();
    let threads = a[3].parse().unwrap();
    let kind = calltable::sink::Kind::of_path(std::path::Path::new(&a[2])).unwrap();
    let job = Job {
        inputs,
        options: Default::default(),
        output: Some(a[2].clone().into()),
        kind,
        compression: Default::default(),
        row_group_rows: 250000,
        overwrite: true,
        rejects: Some(format!("{}.rejects.jsonl", a[2]).into()),
        agreed: Agreed::Unsaid,
        report: None,
        limits: Limits { threads, memory: 256 << 20 },
        progress: Default::default(),
    };
    let o = convert(job).unwrap();
    println!("{:?} {:?}\n{}", o.exit, o.error, serde_json::to_string_pretty(&o.report).unwrap());
}
