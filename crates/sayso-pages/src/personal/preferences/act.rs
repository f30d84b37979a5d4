//! What a form of the preference center asks for.

/// What a form of the page asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// To save what is ticked.
    Save,
    /// To refuse everything on a channel.
    StopChannel,
    /// To refuse everything.
    StopEverything,
    /// To refuse the processing of data.
    RefuseProcessing,
    /// To allow it again.
    AllowProcessing,
    /// To get what is kept.
    Download,
    /// To be asked whether to be forgotten.
    AskForget,
    /// To be forgotten.
    Forget,
    /// To be sent a fresh link.
    SendFresh,
    /// To be sent a link at another address, by which everything is shown.
    SendOther,
    /// To see the page.
    Show,
}

impl Act {
    const ALL: [Self; 11] = [
        Self::Save,
        Self::StopChannel,
        Self::StopEverything,
        Self::RefuseProcessing,
        Self::AllowProcessing,
        Self::Download,
        Self::AskForget,
        Self::Forget,
        Self::SendFresh,
        Self::SendOther,
        Self::Show,
    ];

    /// The word in the form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Save => "save",
            Self::StopChannel => "stop_channel",
            Self::StopEverything => "stop_everything",
            Self::RefuseProcessing => "refuse_processing",
            Self::AllowProcessing => "allow_processing",
            Self::Download => "download",
            Self::AskForget => "ask_forget",
            Self::Forget => "forget",
            Self::SendFresh => "send_fresh",
            Self::SendOther => "send_other",
            Self::Show => "show",
        }
    }

    /// What a word asks for.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == word)
    }
}
