// SPDX-License-Identifier: MIT OR Apache-2.0
//! comps.xml: package groups, environments and categories.
//!
//! Translations (`xml:lang`) are skipped; everything else survives reading and writing.

use super::error::{Limits, RepodataError, RepodataProblem};
use super::write::{attribute, element as write_element};
use super::xml::{Element, Token, parse_number, walk};

/// The groups of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comps {
    /// Groups of packages.
    pub groups: Vec<Group>,
    /// Groups of groups, for installers.
    pub environments: Vec<Environment>,
    /// Groups of groups, for browsing.
    pub categories: Vec<Category>,
}

/// A group of packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Identifier, for example `server-hardware-support`.
    pub id: String,
    /// Name shown to people.
    pub name: String,
    /// Description.
    pub description: String,
    /// Selected unless the user says otherwise.
    pub default: bool,
    /// Shown to users.
    pub user_visible: bool,
    /// Place in lists, lower first.
    pub display_order: Option<u32>,
    /// Only for this language.
    pub lang_only: Option<String>,
    /// The packages.
    pub packages: Vec<GroupPackage>,
}

/// A package in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPackage {
    /// The package's name.
    pub name: String,
    /// When it is installed with the group.
    pub kind: GroupPackageKind,
}

/// When a package is installed with its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupPackageKind {
    /// Always.
    Mandatory,
    /// Unless left out.
    Default,
    /// Only when asked for.
    Optional,
    /// When the named package is installed too.
    Conditional(String),
}

/// A set of groups an installer offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Identifier.
    pub id: String,
    /// Name shown to people.
    pub name: String,
    /// Description.
    pub description: String,
    /// Place in lists, lower first.
    pub display_order: Option<u32>,
    /// Groups that belong to it.
    pub groups: Vec<String>,
    /// Groups that can be added; `true` marks those selected by default.
    pub options: Vec<(String, bool)>,
}

/// A heading over groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Category {
    /// Identifier.
    pub id: String,
    /// Name shown to people.
    pub name: String,
    /// Description.
    pub description: String,
    /// Place in lists, lower first.
    pub display_order: Option<u32>,
    /// Its groups.
    pub groups: Vec<String>,
}

impl Comps {
    /// Returns the same with names where there is no description: libcomps, so dnf 4, refuses the whole file of a repository when
    /// a description is empty.
    pub fn described(&self) -> Self {
        let mut all = self.clone();
        let describe = |name: &str, description: &mut String| {
            if description.is_empty() {
                name.clone_into(description);
            }
        };
        all.groups.iter_mut().for_each(|one| describe(&one.name, &mut one.description));
        all.environments.iter_mut().for_each(|one| describe(&one.name, &mut one.description));
        all.categories.iter_mut().for_each(|one| describe(&one.name, &mut one.description));
        all
    }
}

/// Writes comps.xml.
pub fn write_comps(comps: &Comps) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<comps>\n");
    for group in &comps.groups {
        write_group(&mut out, group);
    }
    for environment in &comps.environments {
        out.push_str("  <environment>\n");
        let Environment { id, name, description, display_order, .. } = environment;
        write_head(&mut out, id, name, description);
        write_order(&mut out, *display_order);
        write_group_ids(&mut out, "grouplist", environment.groups.iter().map(|id| (id, false)));
        let options = environment.options.iter().map(|(id, default)| (id, *default));
        write_group_ids(&mut out, "optionlist", options);
        out.push_str("  </environment>\n");
    }
    for category in &comps.categories {
        out.push_str("  <category>\n");
        write_head(&mut out, &category.id, &category.name, &category.description);
        write_order(&mut out, category.display_order);
        write_group_ids(&mut out, "grouplist", category.groups.iter().map(|id| (id, false)));
        out.push_str("  </category>\n");
    }
    out.push_str("</comps>\n");
    out
}

fn write_head(out: &mut String, id: &str, name: &str, description: &str) {
    write_element(out, 2, "id", id);
    write_element(out, 2, "name", name);
    write_element(out, 2, "description", description);
}

fn write_order(out: &mut String, display_order: Option<u32>) {
    if let Some(order) = display_order {
        write_element(out, 2, "display_order", &order.to_string());
    }
}

fn write_group(out: &mut String, group: &Group) {
    out.push_str("  <group>\n");
    write_head(out, &group.id, &group.name, &group.description);
    write_element(out, 2, "default", &group.default.to_string());
    write_element(out, 2, "uservisible", &group.user_visible.to_string());
    write_order(out, group.display_order);
    if let Some(lang) = &group.lang_only {
        write_element(out, 2, "langonly", lang);
    }
    out.push_str("    <packagelist>\n");
    for package in &group.packages {
        let kind = match &package.kind {
            GroupPackageKind::Mandatory => "mandatory",
            GroupPackageKind::Default => "default",
            GroupPackageKind::Optional => "optional",
            GroupPackageKind::Conditional(_) => "conditional",
        };
        out.push_str("      <packagereq");
        attribute(out, "type", kind);
        if let GroupPackageKind::Conditional(requires) = &package.kind {
            attribute(out, "requires", requires);
        }
        out.push('>');
        super::write::escape(out, &package.name);
        out.push_str("</packagereq>\n");
    }
    out.push_str("    </packagelist>\n  </group>\n");
}

fn write_group_ids<'a>(
    out: &mut String,
    list: &str,
    ids: impl Iterator<Item = (&'a String, bool)>,
) {
    let mut ids = ids.peekable();
    if ids.peek().is_none() {
        return;
    }
    out.push_str(&format!("    <{list}>\n"));
    for (id, default) in ids {
        out.push_str("      <groupid");
        if default {
            attribute(out, "default", "true");
        }
        out.push('>');
        super::write::escape(out, id);
        out.push_str("</groupid>\n");
    }
    out.push_str(&format!("    </{list}>\n"));
}

/// Parses comps.xml (decompressed).
pub fn parse_comps(bytes: &[u8], limits: &Limits) -> Result<Comps, RepodataError> {
    let mut parser = Parser::default();
    walk(bytes, ("comps.xml", "comps"), limits, &mut |token, _| match token {
        Token::Start { depth, element } => parser.start(depth, &element),
        Token::End { depth, name, text } => parser.end(depth, name, text.trim()),
    })?;
    Ok(parser.comps)
}

/// The fields of whatever depth-2 element is open; groups, environments and categories share most.
#[derive(Default)]
struct Parser {
    comps: Comps,
    group: Group,
    group_ids: Vec<String>,
    options: Vec<(String, bool)>,
    is_translation: bool,
    is_option: bool,
    is_default: bool,
    kind: String,
    requires: String,
}

impl Parser {
    fn start(&mut self, depth: usize, element: &Element<'_>) -> Result<(), RepodataProblem> {
        match (depth, element.name()) {
            (2, _) => {
                self.group = Group { user_visible: true, ..Group::default() };
                self.group_ids.clear();
                self.options.clear();
            }
            (3, "name" | "description") => {
                self.is_translation = element.attribute("xml:lang")?.is_some();
            }
            (3, "grouplist") => self.is_option = false,
            (3, "optionlist") => self.is_option = true,
            (4, "groupid") => {
                self.is_default = element.attribute("default")?.as_deref() == Some("true");
            }
            (4, "packagereq") => {
                self.kind = element.attribute("type")?.unwrap_or_default();
                self.requires = element.attribute("requires")?.unwrap_or_default();
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, depth: usize, name: &str, text: &str) -> Result<(), RepodataProblem> {
        let group = &mut self.group;
        match (depth, name) {
            (3, "id") => text.clone_into(&mut group.id),
            (3, "name") if !self.is_translation => text.clone_into(&mut group.name),
            (3, "description") if !self.is_translation => {
                text.clone_into(&mut group.description);
            }
            (3, "default") => group.default = text.eq_ignore_ascii_case("true"),
            (3, "uservisible") => group.user_visible = !text.eq_ignore_ascii_case("false"),
            (3, "langonly") => group.lang_only = Some(text.to_owned()),
            (3, "display_order") => {
                let order = parse_number("display_order", text)?;
                group.display_order = Some(u32::try_from(order).unwrap_or(u32::MAX));
            }
            (4, "packagereq") => {
                let kind = self.package_kind()?;
                self.group.packages.push(GroupPackage { name: text.to_owned(), kind });
            }
            (4, "groupid") if self.is_option => {
                self.options.push((text.to_owned(), self.is_default));
            }
            (4, "groupid") => self.group_ids.push(text.to_owned()),
            (2, "group" | "environment" | "category") => self.finish(name)?,
            _ => {}
        }
        Ok(())
    }

    fn package_kind(&mut self) -> Result<GroupPackageKind, RepodataProblem> {
        match self.kind.as_str() {
            "" | "mandatory" => Ok(GroupPackageKind::Mandatory),
            "default" => Ok(GroupPackageKind::Default),
            "optional" => Ok(GroupPackageKind::Optional),
            "conditional" => Ok(GroupPackageKind::Conditional(std::mem::take(&mut self.requires))),
            other => {
                Err(RepodataProblem::Value { what: "packagereq type", found: other.to_owned() })
            }
        }
    }

    fn finish(&mut self, name: &str) -> Result<(), RepodataProblem> {
        let group = std::mem::take(&mut self.group);
        if group.id.is_empty() {
            return Err(RepodataProblem::Missing { element: "id" });
        }
        let groups = std::mem::take(&mut self.group_ids);
        let options = std::mem::take(&mut self.options);
        let Group { id, name: title, description, display_order, .. } = group.clone();
        match name {
            "group" => self.comps.groups.push(group),
            "environment" => self.comps.environments.push(Environment {
                id,
                name: title,
                description,
                display_order,
                groups,
                options,
            }),
            _ => {
                let category = Category { id, name: title, description, display_order, groups };
                self.comps.categories.push(category);
            }
        }
        Ok(())
    }
}
