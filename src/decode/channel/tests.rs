//! Names of channels, a line each, and that no name is too strange to be read.

use super::*;
use proptest::prelude::*;

/// `extension tech=PJSIP peer=1000`: the kind, then what else is there.
fn shown(channel: Channel<'_>) -> String {
    let mut text = channel.kind.map_or_else(String::new, |kind| kind.to_string());
    let parts = [
        ("tech", channel.tech),
        ("peer", channel.peer),
        ("trunk", channel.trunk),
        ("dialed", channel.dialed),
    ];
    for (name, value) in parts {
        text.extend(value.map(|value| format!(" {name}={value}")));
    }
    text.extend(channel.port.map(|port| format!(" port={port}")));
    text
}

fn reads(name: &str, expected: &str) {
    assert_eq!(shown(Channel::parse(name)), expected, "{name}");
}

fn reads_on(model: &str, name: &str, expected: &str) {
    assert_eq!(shown(Channel::parse_with(name, &PortMap::of_model(model).unwrap())), expected, "{name}");
}

fn reads_trunk(name: &str, side: Side, expected: &str) {
    assert_eq!(shown(Channel::parse_trunk(name, side)), expected, "{name}");
}

facts! { reads:
    empty_name_has_no_part("", "");
    blank_name_is_an_empty_one(" \t", "");
    blanks_around_a_name_do_not_count("  SIP/609-00000150 ", "extension tech=SIP peer=609");

    pjsip_number_is_an_extension("PJSIP/1000-00000003", "extension tech=PJSIP peer=1000");
    sip_number_is_an_extension("SIP/610-00000074", "extension tech=SIP peer=610");
    documents_literal_suffix_is_dropped("PJSIP/6011-XXXXXX", "extension tech=PJSIP peer=6011");
    old_suffix_of_four_digits_is_dropped("SIP/610-09a1", "extension tech=SIP peer=610");
    suffix_in_capitals_is_dropped("SIP/610-09A1BCDE", "extension tech=SIP peer=610");
    three_hex_digits_are_no_suffix("SIP/610-09a", "extension tech=SIP peer=610-09a");
    nine_hex_digits_are_no_suffix("SIP/610-000000740", "extension tech=SIP peer=610-000000740");
    small_x_is_no_suffix("SIP/610-xxxxxx", "extension tech=SIP peer=610-xxxxxx");
    mixed_x_and_hex_is_no_suffix("SIP/610-XX0000", "extension tech=SIP peer=610-XX0000");
    empty_suffix_is_none("SIP/610-", "extension tech=SIP peer=610-");
    only_the_last_suffix_is_dropped("SIP/1-0000001a-0000001b", "extension tech=SIP peer=1-0000001a");
    name_without_suffix_reads_the_same("PJSIP/6011", "extension tech=PJSIP peer=6011");
    hyphen_in_a_peer_belongs_to_it("PJSIP/front-desk-0000001a", "extension tech=PJSIP peer=front-desk");
    hyphen_in_a_peer_without_suffix("PJSIP/front-desk", "extension tech=PJSIP peer=front-desk");
    host_is_a_peer("SIP/192.168.1.5-00000001", "extension tech=SIP peer=192.168.1.5");
    peer_may_be_any_text("PJSIP/приёмная-0000001a", "extension tech=PJSIP peer=приёмная");
    text_after_the_hyphen_may_be_any("PJSIP/前台-大堂", "extension tech=PJSIP peer=前台-大堂");
    driver_is_compared_without_case("pjsip/1000-00000003", "extension tech=pjsip peer=1000");
    nothing_but_a_driver_is_other("PJSIP/", "other tech=PJSIP");
    nothing_but_a_suffix_is_other("PJSIP/-00000001", "other tech=PJSIP");

    trunk_alone_is_inbound("PJSIP/trunk_1-00000000", "trunk_in tech=PJSIP trunk=trunk_1");
    sip_trunk_is_inbound("SIP/trunk_16-0000001b", "trunk_in tech=SIP trunk=trunk_16");
    trunk_without_suffix_is_inbound("SIP/trunk_16", "trunk_in tech=SIP trunk=trunk_16");
    trunk_may_have_any_name("PJSIP/trunk_a-b-XXXXXX", "trunk_in tech=PJSIP trunk=trunk_a-b");
    trunk_with_number_is_outbound("PJSIP/trunk_1/5551234", "trunk_out tech=PJSIP trunk=trunk_1 dialed=5551234");
    outbound_suffix_is_dropped("PJSIP/trunk_1/5551234-0000001b", "trunk_out tech=PJSIP trunk=trunk_1 dialed=5551234");
    hyphen_in_a_number_belongs_to_it("PJSIP/trunk_1/555-1234", "trunk_out tech=PJSIP trunk=trunk_1 dialed=555-1234");
    hyphens_in_a_number_and_a_suffix("SIP/trunk_1/1-555-1234-0000001b", "trunk_out tech=SIP trunk=trunk_1 dialed=1-555-1234");
    number_may_hold_a_slash("SIP/trunk_1/0/55-0000001b", "trunk_out tech=SIP trunk=trunk_1 dialed=0/55");
    outbound_without_a_number("SIP/trunk_1/", "trunk_out tech=SIP trunk=trunk_1");
    outbound_with_nothing_but_a_suffix("SIP/trunk_1/-0000001b", "trunk_out tech=SIP trunk=trunk_1");
    trunk_needs_a_name("SIP/trunk_-0000001b", "extension tech=SIP peer=trunk_");
    trunk_needs_an_underscore("SIP/trunk1-0000001b", "extension tech=SIP peer=trunk1");
    trunk_is_written_small("SIP/Trunk_1-0000001b", "extension tech=SIP peer=Trunk_1");
    number_behind_a_peer_is_other("SIP/provider/5551234-0000001b", "other tech=SIP peer=provider/5551234");
    number_behind_a_nameless_trunk_is_other("SIP/trunk_/5551234", "other tech=SIP peer=trunk_/5551234");

    iax_number_is_an_extension("IAX2/4005-1a2b3c4", "extension tech=IAX2 peer=4005");
    iax_of_the_documents("IAX2/4005-XXXXXXX", "extension tech=IAX2 peer=4005");
    iax_trunk_is_inbound("IAX2/trunk_3-00001a2b", "trunk_in tech=IAX2 trunk=trunk_3");
    iax_trunk_with_number_is_outbound("IAX2/trunk_3/911", "trunk_out tech=IAX2 trunk=trunk_3 dialed=911");

    line_of_an_unknown_model_is_analog("DAHDI/1-1", "analog tech=DAHDI port=1");
    line_without_suffix("DAHDI/17", "analog tech=DAHDI port=17");
    line_of_an_old_driver("Zap/4-1", "analog tech=Zap port=4");
    line_in_small_letters("dahdi/4-1", "analog tech=dahdi port=4");
    line_in_a_group("DAHDI/1:5-1", "analog tech=DAHDI port=5");
    line_in_a_group_without_suffix("DAHDI/1:5", "analog tech=DAHDI port=5");
    greatest_port("DAHDI/65535-1", "analog tech=DAHDI port=65535");
    number_beyond_ports_is_other("DAHDI/99999999", "other tech=DAHDI peer=99999999");
    number_beyond_ports_loses_its_suffix("DAHDI/65536-1", "other tech=DAHDI peer=65536");
    signed_number_is_no_port("DAHDI/+5", "other tech=DAHDI peer=+5");
    nothing_behind_dahdi_is_other("DAHDI/", "other tech=DAHDI");
    word_behind_dahdi_is_other("DAHDI/g1/5551234", "other tech=DAHDI peer=g1/5551234");
    pseudo_is_a_conference("DAHDI/pseudo-149089967", "conference tech=DAHDI");
    pseudo_of_an_old_driver("Zap/pseudo-1665832080", "conference tech=Zap");
    pseudo_without_suffix("DAHDI/pseudo", "conference tech=DAHDI");
    pseudo_is_a_whole_word("DAHDI/pseudonym-1", "other tech=DAHDI peer=pseudonym");
    digital_span("DAHDI/i1/5551234-1", "digital tech=DAHDI dialed=5551234 port=1");
    digital_suffix_is_hex("DAHDI/i2/6905551234-770d", "digital tech=DAHDI dialed=6905551234 port=2");
    digital_without_suffix("DAHDI/i2/6905551234", "digital tech=DAHDI dialed=6905551234 port=2");
    digital_without_number("DAHDI/i2/-2", "digital tech=DAHDI port=2");
    span_beyond_ports_is_other("DAHDI/i70000/5551234-1", "other tech=DAHDI peer=i70000/5551234");
    span_without_number_part_is_other("DAHDI/i2-1", "other tech=DAHDI peer=i2");

    local_with_number("Local/5000@from-internal-00000001;2", "local tech=Local peer=from-internal dialed=5000");
    local_first_half("Local/5000@from-internal-00000001;1", "local tech=Local peer=from-internal dialed=5000");
    local_without_number("Local/@from-internal-XXXXX", "local tech=Local peer=from-internal");
    local_without_suffix("Local/5000@from-internal", "local tech=Local peer=from-internal dialed=5000");
    local_half_without_suffix("Local/5000@from-internal;1", "local tech=Local peer=from-internal dialed=5000");
    local_with_the_old_comma("Local/5000@from-internal-1a2b,1", "local tech=Local peer=from-internal dialed=5000");
    local_context_begins_at_the_first_at("Local/a@b@c-00000001;1", "local tech=Local peer=b@c dialed=a");
    local_without_context("Local/5000-00000001;1", "local tech=Local dialed=5000");
    local_hyphen_in_the_number("Local/555-1234@ctx", "local tech=Local peer=ctx dialed=555-1234");
    local_with_nothing("Local/", "local tech=Local");

    hangup_is_an_application("Hangup", "application peer=Hangup");
    playback_is_an_application("Playback", "application peer=Playback");
    read_exten_is_an_application("ReadExten", "application peer=ReadExten");
    any_word_is_an_application("Воспроизведение", "application peer=Воспроизведение");
    application_has_no_suffix("Page-0000001a", "application peer=Page-0000001a");

    another_driver_is_other("SCCP/1000-00000001", "other tech=SCCP peer=1000");
    another_driver_without_suffix("Message/ast_msg_queue", "other tech=Message peer=ast_msg_queue");
    another_driver_with_halves("CBAnn/6300-00000001;2", "other tech=CBAnn peer=6300");
    halves_are_not_of_sip("SIP/5300-00000001;1", "extension tech=SIP peer=5300-00000001;1");
    slash_without_driver_is_other("/1000", "other peer=1000");
    lone_slash_is_other("/", "other");

    zombie_is_taken_off("SIP/5300-00000001<ZOMBIE>", "extension tech=SIP peer=5300");
    masq_is_taken_off("SIP/5300-00000001<MASQ>", "extension tech=SIP peer=5300");
    both_marks_are_taken_off("SIP/5300-00000001<MASQ><ZOMBIE>", "extension tech=SIP peer=5300");
    mark_behind_a_half("Local/5000@ctx-00000001;2<ZOMBIE>", "local tech=Local peer=ctx dialed=5000");
    mark_behind_a_line("DAHDI/1-1<ZOMBIE>", "analog tech=DAHDI port=1");
    mark_alone_is_a_word("<ZOMBIE>", "application peer=<ZOMBIE>");
    parked_is_taken_off("Parked/SIP/5300-00000001", "extension tech=SIP peer=5300");
    async_goto_is_taken_off("AsyncGoto/PJSIP/trunk_1-00000001", "trunk_in tech=PJSIP trunk=trunk_1");
    bridge_is_taken_off("Bridge/DAHDI/1-1", "analog tech=DAHDI port=1");
    wrappers_are_taken_off_together("AsyncGoto/Bridge/SIP/5300-00000001<ZOMBIE>", "extension tech=SIP peer=5300");
    parked_before_no_channel_stays("Parked/701", "other tech=Parked peer=701");
    unknown_wrapper_is_a_driver("Surrogate/SIP/5300-00000001", "other tech=Surrogate peer=SIP/5300");

    pstn_is_an_fxo_port("pstn2", "fxo port=2");
    gsm_is_a_gsm_port("GSM3", "gsm port=3");
    ports_are_read_without_case("PSTN10", "fxo port=10");
    gsm_in_small_letters("gsm1", "gsm port=1");
    port_without_number_is_a_word("pstn", "application peer=pstn");
    port_with_more_is_a_word("GSM3a", "application peer=GSM3a");
    port_too_great_is_a_word("GSM99999", "application peer=GSM99999");
}

facts! { reads_on:
    first_line_is_fxo("UCM6204", "DAHDI/1-1", "fxo tech=DAHDI port=1");
    last_line_is_fxo("UCM6204", "DAHDI/4-1", "fxo tech=DAHDI port=4");
    phone_is_fxs("UCM6204", "DAHDI/5-1", "fxs tech=DAHDI port=5");
    port_off_the_map_is_analog("UCM6204", "DAHDI/7-1", "analog tech=DAHDI port=7");
    group_is_no_port("UCM6510", "DAHDI/1:3-1", "fxs tech=DAHDI port=3");
    conference_is_none_of_the_ports("UCM6204", "DAHDI/pseudo-1", "conference tech=DAHDI");
    span_is_none_of_the_ports("UCM6510", "DAHDI/i1/555-1", "digital tech=DAHDI dialed=555 port=1");
    nexo_port_needs_no_map("UCM6204", "pstn5", "fxo port=5");
}

facts! { reads_trunk:
    nexo_source_trunk("96", Side::Source, "trunk_in trunk=96");
    nexo_destination_trunk("96", Side::Destination, "trunk_out trunk=96");
    nexo_trunk_may_look_like_a_channel("SIP/96", Side::Source, "trunk_in trunk=SIP/96");
    nexo_pstn_port("pstn2", Side::Source, "fxo port=2");
    nexo_gsm_port("gsm3", Side::Destination, "gsm port=3");
    nexo_port_without_number_is_a_trunk("pstn", Side::Source, "trunk_in trunk=pstn");
    nexo_without_trunk(" ", Side::Source, "");
}

#[test]
fn trunks_lead_out_of_the_pbx() {
    use ChannelKind::*;
    let trunks = [TrunkIn, TrunkOut, Fxo, Gsm, Digital];
    let others = [Extension, Fxs, Analog, Conference, Local, Application, Other];
    assert!(trunks.iter().all(|kind| kind.is_trunk()) && !others.iter().any(|kind| kind.is_trunk()));
}

/// Text made of what channel names are made of, so that the rules are met often.
fn name_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "PJSIP", "Local", "DAHDI", "Zap", "pseudo", "trunk_", "Parked/", "Bridge/", "<ZOMBIE>", "<MASQ>",
            "/", "-", "@", ";1", ":", "i", "pstn", "GSM", "0000001a", "XXXXXX", "5300", "99999999", "é",
            "大", " ",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// The slow twin of `without_suffix`, by the words of the rule.
fn naive_without_suffix(name: &str) -> &str {
    let Some((before, suffix)) = name.rsplit_once('-') else { return name };
    let is_hex = suffix.chars().all(|digit| digit.is_ascii_hexdigit());
    let is_literal = suffix.chars().all(|letter| letter == 'X');
    if (4..=8).contains(&suffix.len()) && (is_hex || is_literal) { before } else { name }
}

proptest! {
    #[test]
    fn suffix_is_found_as_by_its_slow_twin(name in "[a-z0-9é-]{0,4}-?[0-9a-fA-FX]{0,10}[Xé-]?") {
        prop_assert_eq!(without_suffix(&name), naive_without_suffix(&name));
    }

    #[test]
    fn any_text_is_read_and_parts_stand_in_it(name in name_like(), other in any::<String>()) {
        for name in [name, other] {
            let channels = [Channel::parse(&name), Channel::parse_trunk(&name, Side::Source)];
            for channel in channels {
                prop_assert_eq!(channel.kind.is_none(), name.trim_ascii().is_empty());
                let parts = [channel.tech, channel.peer, channel.trunk, channel.dialed];
                prop_assert!(parts.into_iter().flatten().all(|part| !part.is_empty() && name.contains(part)));
            }
        }
    }

    #[test]
    fn suffix_marks_and_wrappers_change_nothing(
        peer in "[a-z0-9_é.-]{0,8}[g-z]", count in any::<u32>(),
        wrapper in "(Parked/|AsyncGoto/|Bridge/){0,2}", mark in "(<MASQ>|<ZOMBIE>){0,2}",
    ) {
        let bare = format!("PJSIP/{peer}");
        let dressed = format!("{wrapper}{bare}-{count:08x}{mark}");
        prop_assert_eq!(Channel::parse(&bare), Channel::parse(&dressed));
        prop_assert_eq!(Channel::parse(&bare).peer, Some(&*peer));
    }
}

#[test]
fn names_of_the_usual_form_are_taken_apart() {
    let stemmed = |name| Stemmed::of(name).map(|Stemmed { stem, dialed }| (stem, dialed));
    assert_eq!(stemmed("PJSIP/5219-00000000"), Some(("PJSIP/5219", None)));
    assert_eq!(
        stemmed("SIP/trunk_14/+494074427470-0000001b"),
        Some(("SIP/trunk_14/", Some("+494074427470")))
    );
    for other in ["DAHDI/5-00000001", "PJSIP/5219", "PJSIP/-00000001", "SIP/1000/sip:1000@10.0.0.1-00000001"]
    {
        assert_eq!(stemmed(other), None);
    }
}

proptest! {
    #[test]
    fn what_is_taken_apart_reads_as_the_whole(
        name in "(PJSIP|SIP|IAX2|sip|DAHDI|Local|x)/(trunk_[a1ü]?|[0-9a-f ü-]{0,4}|5|/){0,2}(/[0-9+a-fü -]{0,10})?(-[0-9a-fA-FX]{7,9}|[0-9a-f]{8})?",
    ) {
        if let Some(Stemmed { stem, dialed }) = Stemmed::of(&name) {
            prop_assert_eq!(Channel { dialed, ..Channel::of_stem(stem) }, Channel::parse(&name));
        }
    }
}
