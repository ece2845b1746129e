//! Minting of ids and secrets; the one home of randomness.

use std::sync::Mutex;

use orchflow_types::id::Id;
use uuid::{ContextV7, Timestamp as UuidTimestamp, Uuid};

use crate::Clock;

static CONTEXT: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// A fresh `UUIDv7` id. Ids minted by one process sort in the order they were minted.
#[must_use]
pub fn mint<I: Id>(clock: &Clock) -> I {
    let millis = u64::try_from(clock.now().as_millis()).unwrap_or(0);
    let nanos = u32::try_from((millis % 1000) * 1_000_000).unwrap_or(0);
    let context = CONTEXT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let uuid = Uuid::new_v7(UuidTimestamp::from_unix(&*context, millis / 1000, nanos));
    I::from_uuid(uuid)
}

/// 256 random bits as 64 hexadecimal digits, for tokens.
///
/// # Panics
/// When the operating system has no randomness to give; nothing safe can go on then.
#[must_use]
pub fn secret() -> String {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchflow_types::TaskId;

    #[test]
    fn ids_sort_in_the_order_they_were_minted_and_none_comes_twice() {
        let clock = Clock::system();
        let minted: Vec<TaskId> = (0..10_000).map(|_| mint(&clock)).collect();
        assert!(minted.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn secrets_have_256_bits_and_differ() {
        assert_eq!(secret().len(), 64);
        assert_ne!(secret(), secret());
    }
}
