//! How an address is shown.

use sayso_core::address::Address;
use serde::Serialize;
use utoipa::ToSchema;

/// An address, as answers show it. Exactly one field is present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ShownAddress {
    /// A telephone number in E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "+14155550123")]
    pub(crate) phone: Option<String>,
    /// An email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// The customer's own id of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) external_id: Option<String>,
    /// A channel's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channel_id: Option<String>,
}

impl ShownAddress {
    /// How an address is shown.
    pub(crate) fn of(address: &Address) -> Self {
        match address {
            Address::Phone(phone) => Self { phone: Some(phone.to_string()), ..Self::default() },
            Address::Email(email) => {
                Self { email: Some(email.as_str().to_owned()), ..Self::default() }
            }
            Address::ExternalId(id) => {
                Self { external_id: Some(id.as_str().to_owned()), ..Self::default() }
            }
            Address::ChannelId(id) => {
                Self { channel_id: Some(id.as_str().to_owned()), ..Self::default() }
            }
        }
    }
}
