//! Memory of the server's process after loading and a million checks, beside Redis.

use anyhow::Result;
use hyper::{Method, StatusCode};

use super::batch::Questions;
use crate::machine::resident_bytes;
use crate::measure::{Goal, Samples, float};
use crate::people::Detail;
use crate::redis;
use crate::report::{Line, Outcome};
use crate::rig::Rig;

/// Questions of 10,000 recipients: a million checks.
const QUESTIONS: usize = 100;

/// Measures the row.
pub(crate) async fn measure(rig: &mut Rig) -> Result<Outcome> {
    // A process that was only started: what earlier rows made it allocate is not of this job.
    rig.stop_server().await?;
    let questions = Questions::new(&rig.people);
    let server = rig.server().await?;
    let (process, target) = (server.id()?, server.target.clone());
    let mut connection = target.connect().await?;
    for body in questions.compact().iter().cycle().take(QUESTIONS) {
        let call = target.call(Method::POST, "/v1/check/batch", body.clone())?;
        connection.expect(call, StatusCode::OK).await?;
    }
    let ours = resident_bytes(process)?;
    let goal = match rig.people.detail {
        Detail::Plain => Goal::AtMost(0.3),
        Detail::Scoped => Goal::AtMost(0.5),
    };
    let contacts = float(rig.people.contacts);
    let mut outcome = Outcome::default();
    match rig.redis().await? {
        None => outcome.left_out.push(redis::ABSENT.to_owned()),
        Some(redis) => outcome.lines.push(Line {
            job: "the whole process after a million checks, mapped files included".to_owned(),
            unit: "bytes a contact",
            ours: Samples::once(float(ours) / contacts),
            rival: "Redis, used_memory of a set of the same people".to_owned(),
            theirs: Samples::once(float(u64::try_from(redis.set_bytes()?)?) / contacts),
            goal,
        }),
    }
    outcome.notes.push(format!(
        "{} MiB in all; what a process takes that knows nobody weighs on each contact while they are few; measured once",
        ours >> 20
    ));
    Ok(outcome)
}
