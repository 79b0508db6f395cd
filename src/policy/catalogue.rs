//! The preset CAM policies: those over everything, and full and read-only access per product.
//!
//! Names are Tencent Cloud's own. Ids are ours and fixed: permission configurations store them,
//! so a row may be added here but never renumbered or taken away.

use std::sync::LazyLock;

use super::{
    document::{Document, Effect, Statement},
    pattern::{ActionPattern, ResourcePattern},
};

mod products;

/// A policy that exists in every account and that nobody can change.
#[derive(Debug)]
pub struct Preset {
    /// Its number, the same in every account and for ever.
    pub id: i64,
    /// Its name, unique in the catalogue.
    pub name: String,
    /// What it grants, in a sentence.
    pub description: String,
    /// What it says.
    pub document: Document,
}

/// Every preset policy, by id.
pub fn all() -> &'static [Preset] {
    &CATALOGUE
}

/// The preset policy with this id.
pub fn by_id(id: i64) -> Option<&'static Preset> {
    let place = CATALOGUE.binary_search_by_key(&id, |preset| preset.id).ok()?;
    CATALOGUE.get(place)
}

/// The preset policy with this exact name.
pub fn by_name(name: &str) -> Option<&'static Preset> {
    CATALOGUE.iter().find(|preset| preset.name == name)
}

/// Presets whose name or description contains `text`, ASCII case aside, by id.
pub fn search(text: &str) -> impl Iterator<Item = &'static Preset> {
    let wanted = text.to_ascii_lowercase();
    CATALOGUE.iter().filter(move |preset| {
        preset.name.to_ascii_lowercase().contains(&wanted)
            || preset.description.to_ascii_lowercase().contains(&wanted)
    })
}

/// What a service is called whose actions begin with this, such as `cvm`.
pub fn service_title(service: &str) -> Option<&'static str> {
    let of = |product: &&Product| {
        let first = product.full.first().and_then(|action| action.split_once(':'));
        first.is_some_and(|(name, _)| name.eq_ignore_ascii_case(service))
    };
    products::PRODUCTS.iter().find(of).map(|product| product.title)
}

/// A product of the cloud, from which its two presets are made.
struct Product {
    /// Full access has this id, read-only access the next.
    id: i64,
    /// The middle of the policies' names: `CVM` in `QcloudCVMFullAccess`.
    code: &'static str,
    /// The product's name for people.
    title: &'static str,
    /// Everything full access allows.
    full: &'static [&'static str],
    /// Everything read-only access allows.
    read: &'static [&'static str],
}

static CATALOGUE: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let mut presets = vec![
        preset(
            1,
            "AdministratorAccess",
            "Everything in the account: resources, users, permissions and finance.",
            &["*"],
        ),
        preset(
            2,
            "ReadOnlyAccess",
            "Looking at every resource of the account, changing none.",
            READ_ANYTHING,
        ),
        preset(
            3,
            "QCloudResourceFullAccess",
            "Every resource of every product; not users, permissions, organisation or finance.",
            &products::resource_actions(),
        ),
        preset(
            4,
            "QCloudFinanceFullAccess",
            "Bills, orders, vouchers and payment.",
            &["finance:*", "billing:*"],
        ),
        preset(
            5,
            "QcloudOrganizationFullAccess",
            "The organisation and its Identity Center: departments, members, people, access.",
            &["organization:*", "identitycenter:*"],
        ),
        preset(
            6,
            "QcloudOrganizationReadOnlyAccess",
            "Looking at the organisation and its Identity Center.",
            &[
                "organization:Describe*",
                "organization:Get*",
                "organization:List*",
                "identitycenter:Describe*",
                "identitycenter:List*",
            ],
        ),
    ];
    for product in products::PRODUCTS {
        let Product { id, code, title, full, read } = product;
        let description = format!("Full access to {title}.");
        presets.push(preset(*id, &format!("Qcloud{code}FullAccess"), &description, full));
        let description = format!("Read-only access to {title}.");
        presets.push(preset(*id + 1, &format!("Qcloud{code}ReadOnlyAccess"), &description, read));
    }
    presets
});

/// What reading is called across the products.
const READ_ANYTHING: &[&str] = &[
    "*:Describe*",
    "*:Get*",
    "*:List*",
    "*:Head*",
    "*:Inquiry*",
    "*:InquirePrice*",
    "*:Query*",
    "*:Check*",
    "*:Search*",
    "*:Lookup*",
    "*:Statistics*",
];

/// A policy of one statement that allows `actions` on everything. An action that does not parse
/// is left out, so a slip in the table can only grant less; a test finds it.
fn preset(id: i64, name: &str, description: &str, actions: &[&str]) -> Preset {
    let actions = actions.iter().filter_map(|action| ActionPattern::parse(action).ok()).collect();
    let resources = ResourcePattern::parse("*").into_iter().collect();
    let statement = Statement { effect: Effect::Allow, actions, resources, conditions: Vec::new() };
    Preset {
        id,
        name: name.to_owned(),
        description: description.to_owned(),
        document: Document::new(vec![statement]),
    }
}

#[cfg(test)]
mod tests {
    use super::{by_id, products::PRODUCTS};

    #[test]
    fn no_action_of_the_table_is_lost() {
        for product in PRODUCTS {
            for (offset, actions) in [(0, product.full), (1, product.read)] {
                let preset = by_id(product.id + offset).unwrap();
                let kept = preset.document.statements()[0].actions.len();
                assert_eq!(kept, actions.len(), "an action of {} did not parse", preset.name);
            }
        }
    }
}
