//! What is made once, however often a client asks: `Idempotency-Key` where no event is recorded.
//!
//! The random part of an id is a keyed hash of the idempotency key, so what a key made is found
//! among all that was made: there is no table of keys, and none that could be lost.

use std::collections::BTreeMap;
use std::sync::Arc;

use sayso_core::event_id::RequestHash;
use sayso_store::configuration::Configuration;
use sayso_store::environment::{TAIL_BYTES, is_tail_of};
use tokio::sync::MutexGuard;

use crate::app::App;
use crate::body::IdempotencyKey;
use crate::caller::Caller;
use crate::problem::{Code, Problem};

/// Something being made.
pub(crate) struct Making<'a> {
    app: &'a App,
    configuration: Arc<Configuration>,
    hash: Option<RequestHash>,
    /// Requests with a key take turns: two that come at once make one thing.
    _turn: Option<MutexGuard<'a, ()>>,
}

impl<'a> Making<'a> {
    /// Begins to make a thing of this kind.
    pub(crate) async fn begin<N>(
        app: &'a App,
        caller: &Caller<N>,
        IdempotencyKey(key): IdempotencyKey,
        kind: &str,
    ) -> Result<Self, Problem> {
        let secret = &caller.configuration().secret;
        let own = key.map(|key| format!("{kind}:{}:{key}", caller.key_id()));
        let hash = own.map(|own| RequestHash::of_key(&own, secret));
        let turn = match &hash {
            Some(_) => Some(app.take_turn().await),
            None => None,
        };
        // As it is now: the one before may have made it while this one waited.
        let configurations = app.store().configurations();
        let configuration = configurations.get(&caller.workspace());
        let configuration = configuration.ok_or_else(|| Problem::new(Code::Internal))?;
        Ok(Self { app, configuration: Arc::clone(configuration), hash, _turn: turn })
    }

    /// The workspace's configuration, with all that earlier requests made.
    pub(crate) fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// An id for the thing.
    pub(crate) fn id(&self) -> [u8; 16] {
        match &self.hash {
            Some(RequestHash(hash)) => {
                let tail = hash.first_chunk::<TAIL_BYTES>().copied().unwrap_or_default();
                self.app.environment().time_sortable_id_of(tail)
            }
            None => self.app.environment().time_sortable_id(),
        }
    }

    /// Sixteen bytes for a name of the thing that does not sort by time.
    pub(crate) fn name_bytes(&self) -> [u8; 16] {
        match &self.hash {
            Some(RequestHash(hash)) => hash.first_chunk::<16>().copied().unwrap_or_default(),
            None => self.app.environment().random(),
        }
    }

    /// What this key made before.
    pub(crate) fn find<'m, K: Copy, V>(
        &self,
        made: &'m BTreeMap<K, V>,
        bytes_of: impl Fn(&K) -> &[u8; 16],
    ) -> Option<(K, &'m V)> {
        let tail = self.hash.as_ref()?.0.first_chunk::<TAIL_BYTES>()?;
        made.iter().find(|(id, _)| is_tail_of(*tail, bytes_of(id))).map(|(id, it)| (*id, it))
    }
}

/// The answer to a key that made something else, or what has changed since.
pub(crate) fn reused(made: &impl ToString) -> Problem {
    let detail = format!("it made {}, which is another than the one asked for", made.to_string());
    Problem::new(Code::IdempotencyKeyReused).detail(detail)
}

/// The answer to a key that made something whose secret was said.
pub(crate) fn said_before(made: &impl ToString) -> Problem {
    let made = made.to_string();
    let detail =
        format!("it made {made}, whose secret is said once; delete {made} and make another");
    Problem::new(Code::IdempotencyKeyReused).detail(detail)
}
