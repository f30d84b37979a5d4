//! What is made once, however often a client asks: `Idempotency-Key` where no event is recorded.
//!
//! The random part of an id is a keyed hash of the idempotency key, so what a key made is found
//! among all that was made: there is no table of keys, and none that could be lost. It is looked for in the
//! configuration on which the thing is planned, so of two requests that come at once the second finds what
//! the first made.

use std::collections::BTreeMap;

use sayso_core::words::event_id::RequestHash;
use sayso_store::environment::{TAIL_BYTES, is_tail_of};

use crate::app::App;
use crate::body::IdempotencyKey;
use crate::caller::Caller;
use crate::problem::{Code, Problem};

/// Something being made.
pub(crate) struct Making {
    hash: Option<RequestHash>,
    id: [u8; 16],
    name: [u8; 16],
}

impl Making {
    /// Begins to make a thing of this kind.
    pub(crate) fn begin<N>(
        app: &App,
        caller: &Caller<N>,
        IdempotencyKey(key): IdempotencyKey,
        kind: &str,
    ) -> Self {
        let secret = &caller.workspace().secret;
        let own = key.map(|key| format!("{kind}:{}:{key}", caller.key_id()));
        let hash = own.map(|own| RequestHash::of_key(&own, secret));
        let environment = app.environment();
        let (id, name) = match &hash {
            Some(RequestHash(hash)) => {
                let tail = hash.first_chunk::<TAIL_BYTES>().copied().unwrap_or_default();
                let name = hash.first_chunk::<16>().copied().unwrap_or_default();
                (environment.time_sortable_id_of(tail), name)
            }
            None => (environment.time_sortable_id(), environment.random()),
        };
        Self { hash, id, name }
    }

    /// An id for the thing.
    pub(crate) const fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Sixteen bytes for a name of the thing that does not sort by time.
    pub(crate) const fn name_bytes(&self) -> [u8; 16] {
        self.name
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
