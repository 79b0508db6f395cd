//! What a request may reach.

use std::{ops::Deref, sync::Arc};

use secrecy::ExposeSecret;
use tokio::sync::Notify;

use crate::{
    audit::{Act, Actor},
    clock::Clock,
    cloud::{Clouds, EmbeddedCloud},
    config::{self, Settings},
    credential::{self, Gate},
    directory::{self, scim::Signposts},
    event::{self, Courier},
    id::{Ids, new_uuid},
    provisioning::Reconciler,
    rate::{AddressLimiter, Rate},
    recorder::Recorder,
    saml::certificate::SigningKey,
    secret::{self, Sealer},
    sso::{self, ReadCertificates},
    store::{self, Db},
    task::Worker,
    tc3::Reads,
};

/// Addresses that are counted each for itself at most; some 50 bytes each.
const MOST_COUNTED: usize = 50_000;

/// Everything a request may reach, as [`Parts`] lists it. Cheap to clone: every layer that a request
/// passes has one.
#[derive(Clone, Debug)]
pub struct App(Arc<Parts>);

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// What a request may reach.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Makes ids.
    pub ids: Ids,
    /// Seals secrets.
    pub sealer: Sealer,
    /// The settings.
    pub settings: Arc<Settings>,
    /// The gate for directories.
    pub gate: Arc<Gate>,
    /// Counts the SAML messages that an address brings; none counts nothing.
    pub saml_messages: Arc<Option<AddressLimiter>>,
    /// Counts the messages that command lines of an address send; none counts nothing.
    pub command_lines: Arc<Option<AddressLimiter>>,
    /// Certificates of identity providers that were read before.
    pub read_certificates: Arc<ReadCertificates>,
    /// What is known of long lists of users and groups.
    pub signposts: Arc<Signposts>,
    /// The signatures of API calls that only read.
    pub reads: Arc<Reads>,
    /// Remembers what directories asked.
    pub recorder: Recorder,
    /// Told when a request was taken in that is to be answered later.
    pub later: Arc<Notify>,
    /// The identity provider of the demo; none anywhere else.
    pub demo: Option<Arc<DemoIdentityProvider>>,
}

/// The identity provider of the demo.
#[derive(Debug)]
pub struct DemoIdentityProvider {
    /// Its entity id, which is the URL of its metadata too.
    pub entity_id: String,
    /// The key it signs with.
    pub key: SigningKey,
}

/// Why the program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] config::Error),
    /// The database does not work.
    #[error("the database cannot be used")]
    Store(#[from] store::Error),
    /// No randomness.
    #[error(transparent)]
    Secret(#[from] secret::Error),
    /// Nothing can be sent.
    #[error("events cannot be sent")]
    Events(#[from] event::ClientError),
}

impl App {
    /// Opens the database and brings its schema up to date.
    pub async fn open(settings: Settings, clock: Clock) -> Result<Self, Error> {
        let sealer = settings.sealer()?;
        let db = Db::open(settings.database_url.expose_secret()).await?;
        let limits = settings.rate_limits;
        let rate = |per_second, burst| limits.enabled.then_some(Rate { per_second, burst });
        let messages = rate(limits.saml_per_second, limits.saml_burst);
        let lines = rate(limits.command_line_per_second, limits.command_line_burst);
        let rates = credential::Rates {
            token: rate(limits.scim_per_second, limits.scim_burst),
            stranger: rate(limits.scim_stranger_per_second, limits.scim_stranger_burst),
        };
        Ok(Self(Arc::new(Parts {
            db,
            clock,
            ids: Ids::new()?,
            sealer,
            settings: Arc::new(settings),
            gate: Arc::new(Gate::new(rates)),
            read_certificates: Arc::default(),
            signposts: Arc::default(),
            saml_messages: Arc::new(messages.map(|it| AddressLimiter::new(it, MOST_COUNTED))),
            command_lines: Arc::new(lines.map(|it| AddressLimiter::new(it, MOST_COUNTED))),
            reads: Arc::default(),
            recorder: Recorder::default(),
            later: Arc::default(),
            demo: None,
        })))
    }

    /// The same with the identity provider of the demo.
    #[must_use]
    pub fn with_demo(self, demo: DemoIdentityProvider) -> Self {
        Self(Arc::new(Parts { demo: Some(Arc::new(demo)), ..Arc::unwrap_or_clone(self.0) }))
    }

    /// The same on a database whose writes are rolled back.
    #[must_use]
    pub fn rehearsal(&self) -> Self {
        Self(Arc::new(Parts { db: self.db.rehearsal(), ..Parts::clone(self) }))
    }

    /// An act of the program itself; `part` says of which part.
    pub fn own_act(&self, part: &str) -> Result<Act, secret::Error> {
        let now = self.clock.now();
        Ok(Act::new(Actor::system(part), new_uuid()?, None, now, self.ids.clone()))
    }

    /// How many users and groups a space may have, and how many go together (GRP-15).
    pub fn directory_limits(&self) -> directory::Limits {
        let limits = self.settings.limits;
        directory::Limits {
            users: limits.users,
            groups: limits.groups,
            members: limits.members,
            memberships: limits.memberships,
        }
    }

    /// Where accounts are entered.
    pub fn clouds(&self) -> Arc<dyn Clouds> {
        Arc::new(EmbeddedCloud::new(self.db.clone(), self.clock.clone()))
    }

    /// A worker that makes the accounts be as they should.
    pub fn worker(&self) -> Result<Worker, secret::Error> {
        let clouds = self.clouds();
        let reconciler = Reconciler::new(
            self.db.clone(),
            self.clock.clone(),
            self.ids.clone(),
            clouds,
            self.settings.url(""),
        );
        let parallel = self.settings.worker.parallel;
        let (db, clock, ids) = (self.db.clone(), self.clock.clone(), self.ids.clone());
        Worker::new(db, clock, ids, parallel, Arc::new(reconciler))
    }

    /// Where events may be sent.
    pub fn event_guard(&self) -> event::Guard {
        event::Guard::new(self.settings.events.allowed_networks.clone())
    }

    /// What fetches the metadata of identity providers. It may call whom events may be sent to.
    pub fn fetcher(&self) -> Result<sso::Fetcher, Error> {
        let authorities = self.settings.events.authorities.as_deref();
        let client = event::Client::new(self.event_guard(), authorities)?;
        let house = (self.db.clone(), self.clock.clone(), self.ids.clone());
        Ok(sso::Fetcher::new(house, client))
    }

    /// What delivers the events of directories.
    pub fn courier(&self) -> Result<Courier, Error> {
        let settings = &self.settings.events;
        let client = event::Client::new(self.event_guard(), settings.authorities.as_deref())?;
        let house = (self.db.clone(), self.clock.clone(), self.ids.clone());
        let patience = event::Patience { seconds: settings.patience };
        let issuer = self.settings.url("");
        Ok(Courier::new(house, self.sealer.clone(), client, issuer, patience)?)
    }
}
