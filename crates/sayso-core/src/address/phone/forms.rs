//! Old and second forms of one line: what the numbering plans no longer know, or know twice.
//!
//! `data/phone-forms.tsv` says which, since when, and on whose word; its head tells how a line is
//! read. A form is matched on its whole length and its leading digits, once: today's form of a line
//! matches no old form of its country.

use std::sync::LazyLock;

use super::Care;

const DATA: &str = include_str!("../../../data/phone-forms.tsv");

/// The version of the old and second forms that are built in: that of the head of their file.
pub const FORMS_VERSION: &str = "2026.11.30";

/// The most spellings that parts which today's form drops may stand for.
const SPELLINGS_MAX: usize = 64;

/// The first digits by which forms are found.
const HEAD_DIGITS: u32 = 3;
pub(super) const HEADS: usize = 1_000;

/// What a form is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// It is read as today's number.
    Read,
    /// It is, by refusals and questions alone.
    ReadForRefusals,
    /// Refusals of each count for the other.
    Alias,
}

/// All forms.
pub(super) struct Forms {
    rules: Vec<Rule>,
    /// The rules that a number with these first digits may be the form of.
    by_form: Vec<Vec<u16>>,
    /// The rules whose today's form a number with these first digits may be.
    by_today: Vec<Vec<u16>>,
    /// How many digits the forms have that begin with these first digits: bit n for n digits.
    form_lengths: Vec<u32>,
}

struct Rule {
    how: Use,
    form: Vec<Piece>,
    form_digits: usize,
    today: Vec<Part>,
    today_digits: usize,
}

/// Digits in a form: one of several runs of the same length, each position a set of digits.
struct Piece {
    runs: Vec<Vec<Set>>,
    /// Whether today's form may name it.
    is_part: bool,
}

/// Bit n: the digit n may stand here.
type Set = u16;

enum Part {
    Digits(Vec<u8>),
    /// The digits of a piece of the form, by its place among all pieces.
    Copy(usize),
}

impl Forms {
    /// Those that this version of Sayso was built with.
    pub(super) fn builtin() -> &'static Self {
        static FORMS: LazyLock<Forms> = LazyLock::new(|| Forms::parse(DATA));
        &FORMS
    }

    /// # Panics
    /// If the file in the binary is damaged.
    #[expect(clippy::expect_used, reason = "a constant of the binary, read by every test")]
    fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let rules: Vec<Rule> = lines
            .filter_map(|line| Line::parse(line).expect("a builtin form is a form").0)
            .collect();
        let (mut by_form, mut by_today) = (vec![Vec::new(); HEADS], vec![Vec::new(); HEADS]);
        for (place, rule) in (0_u16..).zip(&rules) {
            index(&mut by_form, place, &rule.form_sets());
            if rule.how != Use::ReadForRefusals {
                index(&mut by_today, place, &rule.today_sets());
            }
        }
        let lengths = |places: &Vec<u16>| {
            let rules = places.iter().filter_map(|place| rules.get(usize::from(*place)));
            rules.fold(0, |lengths, rule| lengths | 1 << rule.form_digits)
        };
        let form_lengths = by_form.iter().map(lengths).collect();
        Self { rules, by_form, by_today, form_lengths }
    }

    /// Today's number of an old form that is read as it.
    pub(super) fn today(&self, number: u64, care: Care) -> Option<u64> {
        let reads = |how: Use| match how {
            Use::Read => true,
            Use::ReadForRefusals => care == Care::Possible,
            Use::Alias => false,
        };
        let mut rules = self.candidates(&self.by_form, number)?;
        let digits = decimal(number);
        rules.find_map(|rule| reads(rule.how).then(|| rule.today(&digits)).flatten())
    }

    /// Whether a number of so many digits that begins with these [`HEAD_DIGITS`] may be the form of another.
    pub(super) fn may_begin(&self, head: u64, digits: usize) -> bool {
        self.candidates(&self.by_form, head)
            .is_some_and(|mut rules| rules.any(|rule| rule.form_digits == digits))
    }

    /// Whether a number may be the form of another, told by its first digits and how many it has: false is certain.
    pub(super) fn may_be_form(&self, number: u64) -> bool {
        let lengths = self.form_lengths.get(head(number)).copied().unwrap_or(0);
        lengths != 0 && number.checked_ilog10().is_some_and(|power| lengths >> (power + 1) & 1 == 1)
    }

    /// Whether a number that no plan has may be another form of one that a plan has.
    pub(super) fn is_alias(&self, number: u64) -> bool {
        self.candidates(&self.by_form, number).is_some_and(|mut rules| {
            let digits = decimal(number);
            rules.any(|rule| rule.how == Use::Alias && rule.today(&digits).is_some())
        })
    }

    /// The other forms of a line, ascending: what is read as it, what it may be another form of, and
    /// what is read as that. Those of nearly every number are none, which is told by its first digits.
    pub(super) fn others(&self, number: u64) -> Vec<u64> {
        let is_ordinary = [&self.by_form, &self.by_today]
            .into_iter()
            .all(|index| self.candidates(index, number).is_none());
        if is_ordinary {
            return Vec::new();
        }
        let mut lines = vec![number];
        lines.extend(self.forward(number, Use::Read));
        for line in lines.clone() {
            lines.extend(self.forward(line, Use::Alias));
            lines.extend(self.backward(line, Use::Alias));
        }
        let old = lines.iter().flat_map(|line| self.backward(*line, Use::Read)).collect::<Vec<_>>();
        lines.extend(old);
        lines.sort_unstable();
        lines.dedup();
        lines.retain(|line| *line != number);
        lines
    }

    /// The forms that are read as this number.
    pub(super) fn old(&self, number: u64) -> Vec<u64> {
        self.backward(number, Use::Read)
    }

    fn forward(&self, number: u64, how: Use) -> Vec<u64> {
        let digits = decimal(number);
        let rules = self.candidates(&self.by_form, number).into_iter().flatten();
        rules.filter(|rule| rule.how == how).filter_map(|rule| rule.today(&digits)).collect()
    }

    fn backward(&self, number: u64, how: Use) -> Vec<u64> {
        let digits = decimal(number);
        let rules = self.candidates(&self.by_today, number).into_iter().flatten();
        rules.filter(|rule| rule.how == how).flat_map(|rule| rule.forms(&digits)).collect()
    }

    /// The rules for a number's first digits; `None` where there are none.
    fn candidates<'f>(
        &'f self,
        index: &'f [Vec<u16>],
        number: u64,
    ) -> Option<impl Iterator<Item = &'f Rule>> {
        let places = index.get(head(number)).filter(|places| !places.is_empty())?;
        Some(places.iter().filter_map(|place| self.rules.get(usize::from(*place))))
    }
}

/// The first digits of a number, below [`HEADS`]; 0 if it has fewer.
pub(super) fn head(number: u64) -> usize {
    let below = number.checked_ilog10().and_then(|power| power.checked_sub(HEAD_DIGITS - 1));
    let head = below.and_then(|below| number.checked_div(10_u64.checked_pow(below)?));
    head.and_then(|head| usize::try_from(head).ok()).unwrap_or(0)
}

/// A line of the data: its rule, or none for a form that is never another's.
struct Line(Option<Rule>);

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let mut columns = line.split('\t');
        let (form, today, how) = (columns.next()?, columns.next()?, columns.next()?);
        let how = match how {
            "R" => Use::Read,
            "O" => Use::ReadForRefusals,
            "A" => Use::Alias,
            "N" => return Some(Self(None)),
            _ => return None,
        };
        let form: Vec<Piece> = form.split(' ').map(Piece::parse).collect::<Option<_>>()?;
        let places: Vec<usize> =
            (0..).zip(&form).filter(|(_, piece)| piece.is_part).map(|(place, _)| place).collect();
        let part = |token: &str| match token.strip_prefix('$') {
            Some(part) => {
                let part: usize = part.parse().ok()?;
                Some(Part::Copy(*places.get(part.checked_sub(1)?)?))
            }
            None => token
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| Part::Digits(token.bytes().collect())),
        };
        let today: Vec<Part> = today.split(' ').map(part).collect::<Option<_>>()?;
        let mut rule = Rule { how, form, form_digits: 0, today, today_digits: 0 };
        (rule.form_digits, rule.today_digits) = (rule.form_sets().len(), rule.today_sets().len());
        Some(Self(Some(rule)))
    }
}

impl Rule {
    /// What today's form of these digits is, if they are of this form.
    fn today(&self, digits: &[u8]) -> Option<u64> {
        if digits.len() != self.form_digits {
            return None;
        }
        let mut rest = digits;
        let mut pieces = Vec::with_capacity(self.form.len());
        for piece in &self.form {
            let (here, others) = rest.split_at_checked(piece.len())?;
            if !piece.holds(here) {
                return None;
            }
            pieces.push(here);
            rest = others;
        }
        let today = self.today.iter().flat_map(|part| match part {
            Part::Digits(digits) => digits.as_slice(),
            Part::Copy(piece) => pieces.get(*piece).copied().unwrap_or_default(),
        });
        value(today)
    }

    /// The numbers of this form of which these digits are today's.
    fn forms(&self, digits: &[u8]) -> Vec<u64> {
        let Some(bound) = self.bind(digits) else { return Vec::new() };
        let mut spellings = vec![Vec::new()];
        for (piece, bound) in self.form.iter().zip(bound) {
            let choices = match bound {
                Some(digits) => vec![digits.to_vec()],
                None => piece.spellings(),
            };
            spellings = spellings
                .iter()
                .flat_map(|head| choices.iter().map(move |tail| [head.as_slice(), tail].concat()))
                .take(SPELLINGS_MAX)
                .collect();
        }
        spellings.iter().filter_map(value).collect()
    }

    /// What stood in each piece, as far as today's form keeps it.
    fn bind<'d>(&self, digits: &'d [u8]) -> Option<Vec<Option<&'d [u8]>>> {
        if digits.len() != self.today_digits {
            return None;
        }
        let mut bound: Vec<Option<&[u8]>> = vec![None; self.form.len()];
        let mut rest = digits;
        for part in &self.today {
            match part {
                Part::Digits(digits) => rest = rest.strip_prefix(digits.as_slice())?,
                Part::Copy(place) => {
                    let piece = self.form.get(*place)?;
                    let (here, others) = rest.split_at_checked(piece.len())?;
                    let slot = bound.get_mut(*place)?;
                    if !piece.holds(here) || slot.is_some_and(|before| before != here) {
                        return None;
                    }
                    *slot = Some(here);
                    rest = others;
                }
            }
        }
        Some(bound)
    }

    fn form_sets(&self) -> Vec<Set> {
        self.form.iter().flat_map(Piece::sets).collect()
    }

    fn today_sets(&self) -> Vec<Set> {
        let sets = |part: &Part| match part {
            Part::Digits(digits) => digits.iter().map(|digit| set_of(*digit)).collect(),
            Part::Copy(piece) => self.form.get(*piece).map(Piece::sets).unwrap_or_default(),
        };
        self.today.iter().flat_map(sets).collect()
    }
}

impl Piece {
    fn parse(token: &str) -> Option<Self> {
        let (runs, is_part) = if let Some(several) = token.strip_prefix('(') {
            let several = several.strip_suffix(')')?;
            (several.split('|').map(parse_run).collect::<Option<Vec<_>>>()?, true)
        } else {
            let is_part = !token.bytes().all(|byte| byte.is_ascii_digit());
            (vec![parse_run(token)?], is_part)
        };
        let length = runs.first()?.len();
        (length > 0 && runs.iter().all(|run| run.len() == length)).then_some(Self { runs, is_part })
    }

    fn len(&self) -> usize {
        self.runs.first().map_or(0, Vec::len)
    }

    fn holds(&self, digits: &[u8]) -> bool {
        let fits =
            |run: &Vec<Set>| run.iter().zip(digits).all(|(set, digit)| set & set_of(*digit) != 0);
        self.runs.iter().any(fits)
    }

    /// For each position the digits that may stand there.
    fn sets(&self) -> Vec<Set> {
        let at =
            |place| self.runs.iter().filter_map(|run| run.get(place)).fold(0, |all, set| all | set);
        (0..self.len()).map(at).collect()
    }

    /// The digits that may stand here, each; none if they are very many.
    fn spellings(&self) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for run in &self.runs {
            let mut spellings = vec![Vec::new()];
            for set in run {
                let digits = (b'0'..=b'9').filter(|digit| set & set_of(*digit) != 0);
                spellings = digits
                    .flat_map(|digit| {
                        spellings
                            .iter()
                            .map(move |head: &Vec<u8>| [head.as_slice(), &[digit]].concat())
                    })
                    .collect();
                if spellings.len() > SPELLINGS_MAX {
                    return Vec::new();
                }
            }
            all.extend(spellings);
        }
        all
    }
}

/// Digits and classes, or a run of any digits: `12[3-5]`, `x7`.
fn parse_run(token: &str) -> Option<Vec<Set>> {
    if let Some(length) = token.strip_prefix('x') {
        return Some(vec![ALL; length.parse().ok()?]);
    }
    let mut sets = Vec::new();
    let mut rest = token;
    while let Some(first) = rest.chars().next() {
        if first == '[' {
            let (class, others) = rest.get(1..)?.split_once(']')?;
            sets.push(parse_class(class)?);
            rest = others;
        } else {
            sets.push(set_of(u8::try_from(first).ok().filter(u8::is_ascii_digit)?));
            rest = rest.get(1..)?;
        }
    }
    Some(sets)
}

const ALL: Set = 0b11_1111_1111;

/// `14-7` is 1 and 4 to 7.
fn parse_class(class: &str) -> Option<Set> {
    let mut set = 0;
    let mut bytes = class.bytes().peekable();
    while let Some(first) = bytes.next() {
        let last = if bytes.next_if_eq(&b'-').is_some() { bytes.next()? } else { first };
        let digits = (first..=last).all(|digit| digit.is_ascii_digit());
        set |= digits.then(|| (first..=last).fold(0, |set, digit| set | set_of(digit)))?;
    }
    (set != 0).then_some(set)
}

fn set_of(digit: u8) -> Set {
    1_u16.checked_shl(digit.wrapping_sub(b'0').into()).unwrap_or(0)
}

/// Notes a rule under all first digits that it may have.
fn index(by_head: &mut [Vec<u16>], rule: u16, sets: &[Set]) {
    let mut heads = vec![0];
    for set in sets.iter().take(HEADS.ilog10().try_into().unwrap_or(0)) {
        let digits = || (0_usize..10).filter(|digit| set >> digit & 1 == 1);
        heads =
            heads.iter().flat_map(|head| digits().map(move |digit| head * 10 + digit)).collect();
    }
    for head in heads {
        if let Some(rules) = by_head.get_mut(head) {
            rules.push(rule);
        }
    }
}

fn decimal(number: u64) -> Vec<u8> {
    number.to_string().into_bytes()
}

fn value<'d>(digits: impl IntoIterator<Item = &'d u8>) -> Option<u64> {
    digits.into_iter().try_fold(0_u64, |value, digit| {
        value.checked_mul(10)?.checked_add(u64::from(digit.checked_sub(b'0')?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::phone::{Phone, PhoneBook};

    /// A number of a form, and today's, by a rule; the digits are the seed's.
    fn sample(rule: &Rule, seed: u64) -> (u64, u64) {
        let mut seed = seed;
        let mut next = |below: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % below
        };
        let mut digits = Vec::new();
        for piece in &rule.form {
            let run = &piece.runs[next(piece.runs.len())];
            for set in run {
                let choices: Vec<u8> =
                    (b'0'..=b'9').filter(|digit| set & set_of(*digit) != 0).collect();
                digits.push(choices[next(choices.len())]);
            }
        }
        (value(&digits).unwrap(), rule.today(&digits).unwrap())
    }

    fn samples() -> impl Iterator<Item = (&'static Rule, u64, u64)> {
        Forms::builtin().rules.iter().flat_map(|rule| {
            (1..=20_u64).map(move |seed| {
                let (form, today) = sample(rule, seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                (rule, form, today)
            })
        })
    }

    #[test]
    fn the_version_is_that_of_the_file() {
        assert!(DATA.contains(&format!("\n# version {FORMS_VERSION}\n")));
    }

    #[test]
    fn no_result_of_a_form_is_of_a_form_that_is_read_again() {
        let forms = Forms::builtin();
        for (rule, form, today) in samples() {
            assert_ne!(form, today);
            if rule.how == Use::Read && !form.to_string().starts_with("549") {
                assert_eq!(forms.today(today, Care::Possible), None, "{form} {today}");
            }
        }
    }

    #[test]
    fn every_old_form_is_found_from_today_and_today_from_it() {
        let forms = Forms::builtin();
        for (rule, form, today) in samples() {
            match rule.how {
                Use::Read | Use::Alias => {
                    assert!(forms.others(today).contains(&form), "{today} {form}");
                    assert!(forms.others(form).contains(&today), "{form} {today}");
                }
                Use::ReadForRefusals => {
                    assert!(!forms.others(today).contains(&form), "{today} {form}");
                }
            }
        }
    }

    #[test]
    fn what_is_read_as_today_is_valid_and_reads_as_itself() {
        let book = PhoneBook::builtin();
        let (mut all, mut valid) = (0, 0);
        for (rule, form, _) in samples().filter(|(rule, ..)| rule.how == Use::Read) {
            let Ok(read) = Phone::parse_possible(&format!("+{form}"), None, &book) else {
                // 54 9 and twelve digits of which no 15 stands after an area code.
                assert!(form.to_string().starts_with("549"), "{form}");
                continue;
            };
            let _ = rule;
            assert_ne!(read.digits(), form);
            assert_eq!(Phone::parse_possible(&read.to_string(), None, &book), Ok(read), "{form}");
            all += 1;
            valid += u32::from(read.is_valid(&book));
        }
        assert!(valid * 100 >= all * 95, "{valid} of {all} are valid");
    }

    #[test]
    fn of_two_forms_of_a_line_one_may_be_the_form_of_another_and_leads_to_the_other() {
        let forms = Forms::builtin();
        for number in samples().flat_map(|(_, form, today)| [form, today]) {
            for other in forms.others(number).into_iter().filter(|_| !forms.may_be_form(number)) {
                assert!(forms.may_be_form(other), "{number} {other}");
                assert!(forms.others(other).contains(&number), "{number} {other}");
            }
        }
    }

    #[test]
    fn a_number_of_a_plan_without_forms_has_none() {
        for number in [14_155_550_123, 447_911_123_456, 919_876_543_210, 33_612_345_678] {
            assert!(Forms::builtin().others(number).is_empty(), "{number}");
        }
    }

    #[test]
    fn what_is_no_form_is_no_line() {
        for line in [
            "",
            "52\t52",
            "52 1\t52 $1\tR",
            "52 [\t52\tR",
            "52 (1|22)\t52 $1\tR",
            "5a\t5\tA",
            "52\t52\tX",
        ] {
            assert!(Line::parse(line).is_none(), "{line}");
        }
        assert!(Line::parse("52\t53\tN").is_some_and(|line| line.0.is_none()));
    }
}
