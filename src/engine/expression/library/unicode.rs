//! What `\p{…}` may name where Go reads it: a general category or a script, and no other property.
//!
//! In: a name. Out: the set that it names, in the syntax of the `regex` crate. Must never know: patterns.
//!
//! Upper and lower case, underscores, hyphens and spaces make no difference. Go knows no short names of scripts, such as `Latn`, and
//! none of several words, whose underscores it drops before it looks them up.

/// The general categories by their short and long names, and what else is one there.
const CATEGORIES: &str = concat!(
    "any ascii assigned c casedletter cc cf closepunctuation cn cntrl co combiningmark connectorpunctuation ",
    "control cs currencysymbol dashpunctuation decimalnumber digit enclosingmark finalpunctuation format ",
    "initialpunctuation l lc letter letternumber lineseparator ll lm lo lowercaseletter lt lu m mark ",
    "mathsymbol mc me mn modifierletter modifiersymbol n nd nl no nonspacingmark number openpunctuation ",
    "other otherletter othernumber otherpunctuation othersymbol p paragraphseparator pc pd pe pf pi po ",
    "privateuse ps punct punctuation s sc separator sk sm so spaceseparator spacingmark surrogate symbol ",
    "titlecaseletter unassigned uppercaseletter z zl zp zs",
);

/// The scripts of one word, of Unicode 15.
const SCRIPTS: &str = concat!(
    "adlam ahom arabic armenian avestan balinese bamum batak bengali bhaiksuki bopomofo brahmi braille ",
    "buginese buhid carian chakma cham cherokee chorasmian common coptic cuneiform cypriot cyrillic deseret ",
    "devanagari dogra duployan elbasan elymaic ethiopic georgian glagolitic gothic grantha greek gujarati ",
    "gurmukhi han hangul hanunoo hatran hebrew hiragana inherited javanese kaithi kannada katakana kawi ",
    "kharoshthi khmer khojki khudawadi lao latin lepcha limbu lisu lycian lydian mahajani makasar malayalam ",
    "mandaic manichaean marchen medefaidrin miao modi mongolian mro multani myanmar nabataean nandinagari ",
    "newa nko nushu ogham oriya osage osmanya palmyrene phoenician rejang runic samaritan saurashtra sharada ",
    "shavian siddham sinhala sogdian soyombo sundanese syriac tagalog tagbanwa takri tamil tangsa tangut ",
    "telugu thaana thai tibetan tifinagh tirhuta toto ugaritic vai vithkuqi wancho yezidi yi",
);

/// The characters that a name stands for, or all others: a class that may stand in another one. `None` if it stands for nothing.
pub(super) fn property(name: &str, negated: bool) -> Option<String> {
    let plain: String = name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect();
    let plain = plain.to_ascii_lowercase();
    let is_in = |names: &str| names.split(' ').any(|known| known == plain);
    let letter = if negated { 'P' } else { 'p' };
    Some(match plain.as_str() {
        // No text has one, and the crate does not know them.
        "cs" | "surrogate" if negated => "[\\x{0}-\\x{10FFFF}]".to_owned(),
        "cs" | "surrogate" => "[^\\x{0}-\\x{10FFFF}]".to_owned(),
        plain if is_in(CATEGORIES) => format!("\\{letter}{{gc={plain}}}"),
        plain if is_in(SCRIPTS) => format!("\\{letter}{{sc={plain}}}"),
        _ => return None,
    })
}
