// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dnf advisory list|info|summary`.

use crate::dnf::cli::AdvisoryArgs;
use crate::dnf::session::{Loaded, Needs, Session};
use crate::dnf::table::{Side, fitted, key_values};
use crate::failure::{CommandResult, Failure, complain};
use cairn_pkg::query::{filter, glob};
use cairn_rpm::evr::Nevra;
use cairn_rpm::repodata::Advisory;
use cairn_ui::exit;
use cairn_ui::format::{Zone, date_time};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// An advisory with those of its packages that the options mean.
struct Row<'a> {
    advisory: &'a Advisory,
    packages: Vec<&'a Nevra>,
}

/// Runs `dnf advisory list`.
pub fn list(session: &Session, args: &AdvisoryArgs) -> CommandResult {
    let loaded = session.load(Needs::ADVISORIES)?;
    let mut rows = select(&loaded, args)?;
    if args.json {
        return print_json(session, &list_values(&rows, args));
    }
    if rows.is_empty() {
        say_nothing(&loaded, args);
        return Ok(exit::SUCCESS);
    }
    rows.sort_by_key(|row| (&row.advisory.id, row.packages.first().map(ToString::to_string)));
    let kind = if args.with_cve { Some("cve") } else { args.with_bz.then_some("bugzilla") };
    let head = match kind {
        Some("cve") => "CVE",
        Some(_) => "Bugzilla",
        None => "Name",
    };
    let mut lines =
        vec![[head, "Type", "Severity", "Package", "Issued"].map(str::to_owned).to_vec()];
    for row in &rows {
        let names: Vec<&str> = match kind {
            Some(kind) => row.advisory.references_of(kind).map(|r| r.id.as_str()).collect(),
            None => vec![&row.advisory.id],
        };
        for (name, package) in
            names.iter().flat_map(|name| row.packages.iter().map(move |package| (name, package)))
        {
            lines.push(vec![
                (*name).to_owned(),
                row.advisory.kind.clone(),
                severity(row.advisory).to_owned(),
                package.to_string(),
                issued(row.advisory),
            ]);
        }
    }
    let sides = [Side::Left, Side::Left, Side::Left, Side::Right, Side::Right];
    for line in fitted(&sides, &lines, session.width()) {
        session.printer.data(&line);
    }
    Ok(exit::SUCCESS)
}

/// Runs `dnf advisory info`.
pub fn info(session: &Session, args: &AdvisoryArgs) -> CommandResult {
    let loaded = session.load(Needs::ADVISORIES)?;
    let rows = select(&loaded, args)?;
    if args.json {
        return print_json(session, &rows.iter().map(info_value).collect::<Vec<_>>());
    }
    if rows.is_empty() {
        say_nothing(&loaded, args);
        return Ok(exit::SUCCESS);
    }
    for row in &rows {
        show(session, row.advisory);
    }
    Ok(exit::SUCCESS)
}

/// Runs `dnf advisory summary`.
pub fn summary(session: &Session, args: &AdvisoryArgs) -> CommandResult {
    if args.json {
        return Err(Failure::usage("`advisory summary` has no --json")
            .hint("`dnf advisory list --json` gives the data"));
    }
    let loaded = session.load(Needs::ADVISORIES)?;
    let rows = select(&loaded, args)?;
    let scope = match args.scope {
        scope if scope.all => "All",
        scope if scope.installed => "Installed",
        scope if scope.updates => "Updates",
        _ => "Available",
    };
    session.printer.data(&format!("{scope} advisory information summary:"));
    let count = |test: &dyn Fn(&Advisory) -> bool| {
        rows.iter().filter(|row| test(row.advisory)).count().to_string()
    };
    let of_kind = |kind: &'static str| move |advisory: &Advisory| advisory.kind == kind;
    let graded = ["Critical", "Important", "Moderate", "Low"];
    let of_severity = |severity: &'static str| {
        move |advisory: &Advisory| {
            advisory.kind == "security" && advisory.severity.eq_ignore_ascii_case(severity)
        }
    };
    let mut pairs = vec![("Security", count(&of_kind("security")))];
    for (label, severity) in
        ["  Critical", "  Important", "  Moderate", "  Low"].into_iter().zip(graded)
    {
        pairs.push((label, count(&of_severity(severity))));
    }
    let is_graded = |advisory: &Advisory| {
        graded.iter().any(|severity| advisory.severity.eq_ignore_ascii_case(severity))
    };
    pairs.push(("  Other", count(&|a: &Advisory| a.kind == "security" && !is_graded(a))));
    pairs.push(("Bugfix", count(&of_kind("bugfix"))));
    pairs.push(("Enhancement", count(&of_kind("enhancement"))));
    let known = ["security", "bugfix", "enhancement"];
    pairs.push(("Other", count(&|a: &Advisory| !known.contains(&a.kind.as_str()))));
    for line in key_values(&pairs) {
        session.printer.data(&line);
    }
    Ok(exit::SUCCESS)
}

fn say_nothing(loaded: &Loaded, args: &AdvisoryArgs) {
    for name in &args.names {
        complain(&format!("No advisory found matching the requested name: \"{name}\""));
    }
    if args.names.is_empty() && loaded.sack.repositories.is_empty() {
        complain("No matches found: no repositories are enabled.");
    } else if args.names.is_empty() {
        complain("No matches found.");
    }
}

fn select<'a>(loaded: &'a Loaded, args: &AdvisoryArgs) -> Result<Vec<Row<'a>>, Failure> {
    let sack = &loaded.sack;
    let upgrades: BTreeSet<String> = if args.scope.updates {
        filter::upgrades(sack).into_iter().map(|id| sack.get(id).nevra().name.clone()).collect()
    } else {
        BTreeSet::new()
    };
    let is_meant = |nevra: &Nevra| {
        let installed = sack
            .by_name(&nevra.name)
            .filter(|package| package.is_installed() && package.nevra().arch == nevra.arch)
            .map(|package| &package.nevra().evr)
            .max();
        let Some(installed) = installed else { return false };
        let by_name = args.contains_pkgs.is_empty()
            || args.contains_pkgs.iter().any(|pattern| glob::matches(pattern, &nevra.name));
        let by_version = match args.scope {
            scope if scope.all => true,
            scope if scope.installed => nevra.evr <= *installed,
            scope if scope.updates => nevra.evr > *installed && upgrades.contains(&nevra.name),
            _ => nevra.evr > *installed,
        };
        by_name && by_version
    };
    let mut rows = Vec::new();
    for advisory in args.filter.select_or_tell(&loaded.advisories)? {
        let by_name = args.names.is_empty()
            || args.names.iter().any(|name| glob::matches(name, &advisory.id));
        let has = |kind: &str| advisory.references.iter().any(|r| r.kind == kind);
        if !by_name || args.with_cve && !has("cve") || args.with_bz && !has("bugzilla") {
            continue;
        }
        let packages: Vec<&Nevra> =
            advisory.packages.iter().map(|p| &p.nevra).filter(|nevra| is_meant(nevra)).collect();
        if !packages.is_empty() {
            rows.push(Row { advisory, packages });
        }
    }
    Ok(rows)
}

fn severity(advisory: &Advisory) -> &str {
    if advisory.severity.is_empty() { "None" } else { &advisory.severity }
}

fn issued(advisory: &Advisory) -> String {
    date_time(i64::try_from(advisory.issued).unwrap_or(0), Zone::Utc)
}

fn show(session: &Session, advisory: &Advisory) {
    let mut pairs = vec![
        ("Name", advisory.id.clone()),
        ("Title", advisory.title.clone()),
        ("Severity", severity(advisory).to_owned()),
        ("Type", advisory.kind.clone()),
        ("Status", advisory.status.clone()),
        ("Vendor", advisory.vendor.clone()),
        ("Issued", issued(advisory)),
        ("Description", advisory.description.clone()),
        ("Message", advisory.message.clone()),
        ("Rights", advisory.rights.clone()),
    ];
    for reference in &advisory.references {
        pairs.push(("Reference", String::new()));
        pairs.push(("  Title", reference.title.clone()));
        pairs.push(("  Id", reference.id.clone()));
        pairs.push(("  Type", reference.kind.clone()));
        pairs.push(("  Url", reference.url.clone()));
    }
    let packages: Vec<String> =
        advisory.packages.iter().map(|package| package.nevra.to_string()).collect();
    pairs.push(("Collection", String::new()));
    pairs.push(("  Packages", packages.join("\n")));
    for line in key_values(&pairs) {
        session.printer.data(&line);
    }
    session.printer.data("");
}

fn list_values(rows: &[Row<'_>], args: &AdvisoryArgs) -> Vec<Value> {
    let mut values = Vec::new();
    for (row, nevra) in rows.iter().flat_map(|row| row.packages.iter().map(move |n| (row, n))) {
        let advisory = row.advisory;
        if !args.with_cve && !args.with_bz {
            values.push(json!({
                "name": advisory.id,
                "type": advisory.kind,
                "severity": severity(advisory),
                "nevra": nevra.to_string(),
                "buildtime": advisory.issued,
            }));
            continue;
        }
        let kind = if args.with_cve { "cve" } else { "bugzilla" };
        let references: Vec<Value> = advisory
            .references_of(kind)
            .map(|r| json!({"reference_id": r.id, "reference_type": r.kind}))
            .collect();
        values.push(json!({
            "advisory_name": advisory.id,
            "advisory_type": advisory.kind,
            "advisory_severity": severity(advisory),
            "advisory_buildtime": advisory.issued,
            "nevra": nevra.to_string(),
            "references": references,
        }));
    }
    values
}

fn info_value(row: &Row<'_>) -> Value {
    let advisory = row.advisory;
    let references: Vec<Value> = advisory
        .references
        .iter()
        .map(|r| json!({"Title": r.title, "Id": r.id, "Type": r.kind, "Url": r.url}))
        .collect();
    let packages: Vec<String> = advisory.packages.iter().map(|p| p.nevra.to_string()).collect();
    json!({
        "Name": advisory.id,
        "Title": advisory.title,
        "Severity": severity(advisory),
        "Type": advisory.kind,
        "Status": advisory.status,
        "Vendor": advisory.vendor,
        "Issued": advisory.issued,
        "Description": advisory.description,
        "Message": advisory.message,
        "Rights": advisory.rights,
        "references": references,
        "collections": {"packages": packages},
    })
}

fn print_json(session: &Session, values: &[Value]) -> CommandResult {
    session
        .printer
        .json(&values)
        .map_err(|error| Failure::new(format!("cannot write JSON: {error}")))?;
    Ok(exit::SUCCESS)
}
