//! The stored form of web opt-in forms.

use sayso_core::address::phone::Region;
use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::id::{NoticeId, TopicId};
use sayso_core::proof::double_opt_in::AnswerBy;
use sayso_core::words::channel::Channel;
use sayso_core::words::color::Color;
use sayso_core::words::form::{
    Brightness, FieldName, Font, Origin, Redirect, Shape, Theme, Trigger,
};
use sayso_core::words::notice::Language;

use super::{read_list, read_name, write_list};
use sayso_core::workspace::{
    Asks, Field, Form, FormPurpose, FormTexts, Need, QuestionTemplate, Showing,
};

pub(super) fn write(form: &Form, to: &mut Writer) {
    to.text(form.name.as_str());
    to.text(&form.business);
    write_list(to, form.channels.iter(), |to, channel| channel.write(to));
    form.sender.write(to);
    write_list(to, form.topics.iter(), |to, topic| topic.write(to));
    form.notice.write(to);
    to.text(form.language.as_str());
    to.length(form.texts.len());
    for (language, texts) in &form.texts {
        to.text(language.as_str());
        write_texts(texts, to);
    }
    write_list(to, form.fields.iter(), |to, field| write_field(field, to));
    write_theme(form.theme, to);
    write_list(to, form.origins.iter(), |to, origin| to.text(origin.as_str()));
    to.option(form.redirect.as_ref(), |to, redirect| to.text(redirect.as_str()));
    to.byte(match form.purpose {
        FormPurpose::Live => 1,
        FormPurpose::Test => 2,
    });
    form.deleted_at.write(to);
    write_list(to, form.showings.iter(), |to, showing| write_showing(showing, to));
    to.byte(form.double_opt_in.map_or(0, AnswerBy::code));
    to.option(form.question_template.as_ref(), |to, template| {
        to.text(&template.name);
        to.option(template.language.as_deref(), Writer::text);
    });
}

pub(super) fn read(from: &mut Reader<'_>) -> Result<Form, Malformed> {
    Ok(Form {
        name: read_name(from)?,
        business: from.text()?.into(),
        channels: read_list(from, Channel::read)?,
        sender: Option::read(from)?,
        topics: read_list(from, TopicId::read)?,
        notice: NoticeId::read(from)?,
        language: read_language(from)?,
        texts: read_list(from, |from| Ok((read_language(from)?, read_texts(from)?)))?,
        fields: read_list(from, read_field)?,
        theme: read_theme(from)?,
        origins: read_list(from, |from| Origin::parse(from.text()?).map_err(|_| Malformed))?,
        redirect: from.option(|from| Redirect::parse(from.text()?).map_err(|_| Malformed))?,
        purpose: match from.byte()? {
            1 => FormPurpose::Live,
            2 => FormPurpose::Test,
            _ => return Err(Malformed),
        },
        deleted_at: Option::read(from)?,
        showings: read_list(from, read_showing)?,
        double_opt_in: match from.byte()? {
            0 => None,
            code => Some(AnswerBy::from_code(code).ok_or(Malformed)?),
        },
        question_template: from.option(read_template)?,
    })
}

fn write_showing(showing: &Showing, to: &mut Writer) {
    to.text(showing.site.as_str());
    to.byte(showing.shape.code());
    to.text(&showing.trigger.to_string());
}

fn read_showing(from: &mut Reader<'_>) -> Result<Showing, Malformed> {
    Ok(Showing {
        site: read_name(from)?,
        shape: Shape::from_code(from.byte()?).ok_or(Malformed)?,
        trigger: Trigger::parse(from.text()?).map_err(|_| Malformed)?,
    })
}

fn read_template(from: &mut Reader<'_>) -> Result<QuestionTemplate, Malformed> {
    let name = from.text()?.into();
    Ok(QuestionTemplate { name, language: from.option(|from| from.text().map(Box::from))? })
}

fn read_language(from: &mut Reader<'_>) -> Result<Language, Malformed> {
    Language::parse(from.text()?).map_err(|_| Malformed)
}

fn read_field_name(from: &mut Reader<'_>) -> Result<FieldName, Malformed> {
    FieldName::parse(from.text()?).map_err(|_| Malformed)
}

fn write_texts(texts: &FormTexts, to: &mut Writer) {
    for text in [&texts.title, &texts.description, &texts.button, &texts.confirmation] {
        to.option(text.as_deref(), Writer::text);
    }
    to.length(texts.labels.len());
    for (name, label) in &texts.labels {
        to.text(name.as_str());
        to.text(label);
    }
}

fn read_texts(from: &mut Reader<'_>) -> Result<FormTexts, Malformed> {
    let text = |from: &mut Reader<'_>| from.option(|from| from.text().map(Box::from));
    Ok(FormTexts {
        title: text(from)?,
        description: text(from)?,
        button: text(from)?,
        confirmation: text(from)?,
        labels: read_list(from, |from| Ok((read_field_name(from)?, from.text()?.into())))?,
    })
}

fn write_field(field: &Field, to: &mut Writer) {
    match &field.asks {
        Asks::Phone(countries) => {
            to.byte(1);
            write_list(to, countries.iter(), |to, region| to.text(region.as_str()));
        }
        Asks::Email => to.byte(2),
        Asks::Name => to.byte(3),
        Asks::Text(name) => {
            to.byte(4);
            to.text(name.as_str());
        }
    }
    to.byte(match field.need {
        Need::Optional => 1,
        Need::Required => 2,
    });
}

fn read_field(from: &mut Reader<'_>) -> Result<Field, Malformed> {
    let asks = match from.byte()? {
        1 => {
            Asks::Phone(read_list(from, |from| Region::parse(from.text()?).map_err(|_| Malformed))?)
        }
        2 => Asks::Email,
        3 => Asks::Name,
        4 => Asks::Text(read_field_name(from)?),
        _ => return Err(Malformed),
    };
    let need = match from.byte()? {
        1 => Need::Optional,
        2 => Need::Required,
        _ => return Err(Malformed),
    };
    Ok(Field { asks, need })
}

fn write_theme(theme: Theme, to: &mut Writer) {
    to.option(theme.accent(), |to, accent| to.raw(&accent.to_bytes()));
    to.byte(theme.radius_px());
    to.byte(theme.font().code());
    to.byte(theme.brightness().code());
}

fn read_theme(from: &mut Reader<'_>) -> Result<Theme, Malformed> {
    let accent = from.option(|from| from.raw().map(Color::from_bytes))?;
    let radius_px = from.byte()?;
    let font = Font::from_code(from.byte()?).ok_or(Malformed)?;
    let brightness = Brightness::from_code(from.byte()?).ok_or(Malformed)?;
    Theme::new(accent, radius_px, font, brightness).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use crate::codec::LogEntry;
    use sayso_core::id::{FormId, SenderId};
    use sayso_core::time::Timestamp;
    use sayso_core::words::source::SourceName;

    use super::*;
    use sayso_core::workspace::Change;

    fn change(form: Form) -> LogEntry {
        Change::Form(FormId::from_bytes([1; 16]), form).into()
    }

    #[test]
    fn a_form_is_read_as_it_was_written() {
        let size = FieldName::parse("shoe_size").unwrap();
        let accent = Color::parse("#0b6b50").ok();
        let full = Form {
            name: SourceName::parse("Footer").unwrap(),
            business: "Harbour Shop".into(),
            channels: vec![Channel::WhatsApp, Channel::Email],
            sender: Some(SenderId::from_bytes([2; 16])),
            topics: vec![TopicId::from_bytes([3; 16])],
            notice: NoticeId::from_bytes([4; 16]),
            language: Language::parse("en").unwrap(),
            texts: [(
                Language::parse("en").unwrap(),
                FormTexts {
                    title: Some("Offers".into()),
                    labels: [(size.clone(), "Shoe size".into())].into(),
                    ..FormTexts::default()
                },
            )]
            .into(),
            fields: vec![
                Field {
                    asks: Asks::Phone(vec![Region::parse("DE").unwrap()]),
                    need: Need::Optional,
                },
                Field { asks: Asks::Email, need: Need::Required },
                Field { asks: Asks::Name, need: Need::Optional },
                Field { asks: Asks::Text(size), need: Need::Required },
            ],
            theme: Theme::new(accent, 4, Font::Serif, Brightness::Light).unwrap(),
            origins: vec![Origin::parse("https://shop.example").unwrap()],
            redirect: Redirect::parse("https://shop.example/thanks").ok(),
            purpose: FormPurpose::Test,
            showings: vec![Showing {
                site: SourceName::parse("site_1").unwrap(),
                shape: Shape::SlideIn,
                trigger: Trigger::Click("#join".into()),
            }],
            deleted_at: Some(Timestamp::from_micros(5)),
            double_opt_in: Some(AnswerBy::Code),
            question_template: Some(QuestionTemplate {
                name: "confirm".into(),
                language: Some("en_US".into()),
            }),
        };
        let bare = Form {
            sender: None,
            topics: Vec::new(),
            fields: Vec::new(),
            theme: Theme::default(),
            origins: Vec::new(),
            redirect: None,
            showings: Vec::new(),
            purpose: FormPurpose::Live,
            deleted_at: None,
            double_opt_in: None,
            question_template: None,
            ..full.clone()
        };
        for form in [full, bare] {
            let change = change(form);
            assert_eq!(LogEntry::from_bytes(&change.to_bytes()).unwrap(), change);
        }
    }
}
