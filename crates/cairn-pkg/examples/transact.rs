// SPDX-License-Identifier: MIT OR Apache-2.0
//! scratch
use std::sync::Arc;
use cairn_host::Root;
use cairn_pkg::transaction::*;
use cairn_pkg::{recover, undo, failpoint::FailPoints, rpmdb::{RpmDb, Access}, verify};
use cairn_rpm::{evr::Nevra, package::Package, signature::Keyring};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let root = Root::create(&args[1]).unwrap();
    let mut events = |e| println!("{e:?}");
    match args[2].as_str() {
        "recover" => println!("{:?}", recover::recover(&root, &mut events).unwrap()),
        "undo" => println!("{:?}", undo::undo(&root, args[3].parse().unwrap(), 1_700_000_500, &FailPoints::none(), &mut events).unwrap()),
        "verify" => { let db = RpmDb::open(&root, Access::ReadOnly).unwrap(); let mut n=0; for p in db.packages().unwrap() { n+=1; for v in verify::verify_package(&root, &p.header).unwrap() { println!("{v}"); } } println!("{n} packages"); }
        action => {
            let act = match action { "upgrade" => Action::Upgrade, "remove" => Action::Remove, "reinstall" => Action::Reinstall, _ => Action::Install };
            let mode = std::env::var("MODE").unwrap_or_default();
            let items = args[3..].iter().map(|a| {
                if act == Action::Remove { return TransactionItem { action: act, nevra: Nevra::parse(a).unwrap(), rpm: None, from_repo: String::new(), replaces: vec![] }; }
                let p = Package::parse(&mut std::io::BufReader::new(std::fs::File::open(a).unwrap())).unwrap();
                TransactionItem { action: act, nevra: p.header.nevra(), rpm: Some(a.into()), from_repo: String::new(), replaces: vec![] }
            }).collect();
            let mut o = if mode.contains("compose") { TransactionOptions::compose(Arc::new(Keyring::new()), 1_700_000_000) } else { TransactionOptions::live(Arc::new(Keyring::new()), 1_700_000_000) };
            o.trust = Trust::Digests;
            if mode.contains("skip") { o.scriptlets = Scriptlets::Skip; }
            let start = std::time::Instant::now();
            let mut quiet = |e: cairn_pkg::event::Event| if !mode.contains("quiet") { println!("{e:?}") };
            match run(&root, items, &o, &mut quiet) {
                Ok(out) => { println!("ok id {} added {} removed {} own {} scripts {} failures {:?} notes {:?}", out.id, out.added.len(), out.removed.len(), out.ownership.len(), out.scriptlets.len(), out.failures, out.notes);
                    if mode.contains("list") { for s in &out.scriptlets { println!("{} {} {:?} stdin {}", s.package, s.kind, s.args, s.stdin.len()); } } }
                Err(e) => println!("error: {e}\nhint: {:?}", e.hint()),
            }
            println!("{:?}", start.elapsed());
        }
    }
}
