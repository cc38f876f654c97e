/* baseline: the stored forms of a host's baseline and of a class: whole again, every damage seen, and nonsense that was sealed on purpose
 * refused or safe to use. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "baseline/class.h"
#include "baseline_make.h"

#define HEAD 11 /* "WEIR" kind version flags length ... checksum */
#define TAIL 4

/* ---- both kinds behind one face ---- */

struct form {
    char kind;
    uint8_t version;
    void (*make)(struct buffer *out);
    enum weir_err (*decode)(struct slice blob, struct buffer *again); /* and use it; again: encoded anew, may be NULL */
};

static struct baseline rich_baseline(void)
{
    struct baseline b = fresh_baseline();
    uint64_t seed = 3;
    for (unsigned day = 0; day < 40; day++) {
        struct day x;
        day_begin(&x, DAY_ONE + day);
        unsigned first = (unsigned)random_below(&seed, 90);
        for (unsigned i = first; i < first + 30; i++)
            day_send(&x, WEB_IN(i + 1, i), i % 24, random_below(&seed, 100 * MB));
        day_send(&x, SERVED(day), 5, GB);
        struct baseline_flag flag = {WEB(day), (uint16_t)(DAY_ONE + day), 60};
        struct baseline_lesson lesson = {.day = &x.d, .class_id = CLASS_ONE, .features = ALL_FEATURES, .flagged = &flag, .flagged_n = day % 3 == 0, .hours = true};
        for (unsigned f = 0; f < FEATURE_COUNT; f++)
            lesson.feature[f] = (uint8_t)random_next(&seed);
        learn(&b, &lesson);
    }
    for (unsigned i = 0; i < BASELINE_HISTORIES; i += 3)
        b.run[i] = (struct baseline_run){(uint16_t)(DAY_ONE + i), (uint16_t)(DAY_ONE + i + 1), (uint8_t)(i + 1)};
    return b;
}

static void make_host(struct buffer *out)
{
    struct baseline b = rich_baseline();
    assert_true(b.groups == BASELINE_GROUPS && b.flags > 5 && b.countries == BASELINE_COUNTRIES);
    assert_int_equal(baseline_encode(&b, out), WEIR_OK);
}

static void use_host(struct baseline *b)
{
    struct baseline_changes changes;
    double octaves;
    assert_true(b->groups <= BASELINE_GROUPS && b->flags <= BASELINE_FLAGS && b->countries <= BASELINE_COUNTRIES);
    release(b, DAY_ONE + 60);
    profile_expect(&b->profile, DAY_ONE, 5, &octaves);
    profile_spread(&b->profile, 5, 1.5, 40, 5);
    for (unsigned round = 0; round < 2; round++) {
        struct day x;
        day_begin(&x, UINT16_MAX - round);
        for (unsigned i = 0; i < 100; i++)
            day_send(&x, WEB_IN(i + 1, i), i % 24, MB);
        struct baseline_lesson lesson = {.day = &x.d, .class_id = CLASS_ONE + round, .features = ALL_FEATURES, .hours = true};
        assert_int_equal(baseline_learn(b, &lesson, &changes), WEIR_OK);
        assert_true(changes.added_n <= BASELINE_KEYS && changes.removed_n <= BASELINE_KEYS);
    }
}

static enum weir_err decode_host(struct slice blob, struct buffer *again)
{
    struct baseline b;
    enum weir_err err = baseline_decode(blob, &b);
    if (!err && again)
        assert_int_equal(baseline_encode(&b, again), WEIR_OK);
    if (!err)
        use_host(&b);
    return err;
}

static void make_class(struct buffer *out)
{
    uint64_t seed = 5;
    struct class_state *c = class_new(CLASS_ONE);
    for (unsigned day = 0; day < 40; day++) {
        uint8_t reference[FEATURE_COUNT];
        for (unsigned i = 0; i < 40; i++)
            assert_int_equal(class_change(c, WEB(random_below(&seed, 90)), 1), WEIR_OK);
        for (unsigned i = 0; i < 60; i++) {
            class_note_amount(c, WEB(i), (uint8_t)random_next(&seed));
            memset(reference, (int)random_below(&seed, 256), sizeof reference);
            class_note_host(c, reference);
            assert_int_equal(class_note_excess(c, i % BASELINE_HISTORIES, (uint16_t)(DAY_ONE + day), i % 3 ? 0 : (uint8_t)random_next(&seed),
                                               (struct baseline_run){0, 0, 0}), WEIR_OK);
        }
        assert_int_equal(class_close(c, (uint16_t)(DAY_ONE + day)), WEIR_OK);
    }
    assert_int_equal(class_encode(c, out), WEIR_OK);
    class_free(c);
}

static enum weir_err decode_class(struct slice blob, struct buffer *again)
{
    struct class_state *c = NULL;
    struct class_history h;
    enum weir_err err = class_decode(blob, &c);
    if (err)
        return err;
    if (again)
        assert_int_equal(class_encode(c, again), WEIR_OK);
    for (unsigned i = 0; i < BASELINE_HISTORIES; i++) {
        assert_int_equal(class_note_excess(c, i, DAY_ONE + 41, 9, (struct baseline_run){DAY_ONE + 40, DAY_ONE + 40, 9}), WEIR_OK);
        assert_int_equal(class_history(c, i, DAY_ONE + 41, &h), WEIR_OK);
        assert_true(h.n <= CALIBRATION_DAYS * CALIBRATION_KEPT);
        free(h.excess);
    }
    for (unsigned i = 0; i < 100; i++) {
        class_note_amount(c, WEB(i), 70);
        class_shares(c, WEB(i));
        assert_int_equal(class_change(c, WEB(i), i % 2 ? 1 : -1), WEIR_OK);
    }
    class_note_host(c, NULL);
    assert_int_equal(class_close(c, DAY_ONE + 41), WEIR_OK);
    class_free(c);
    return WEIR_OK;
}

static const struct form forms[] = {
    {BASELINE_BLOB, BASELINE_VERSION, make_host, decode_host},
    {CLASS_BLOB, CLASS_VERSION, make_class, decode_class},
};

static enum weir_err decode(const struct form *f, const char *bytes, size_t n, struct buffer *again)
{
    struct slice s = exact(bytes, n);
    enum weir_err err = f->decode(s, again);
    free((void *)(uintptr_t)s.p);
    return err;
}

static void made(const struct form *f, struct buffer *out)
{
    buffer_init(out, 1 << 22);
    f->make(out);
}

/* ---- claims ---- */

static void what_was_stored_comes_back_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(forms); i++) {
        struct buffer out, again;
        made(&forms[i], &out);
        buffer_init(&again, 1 << 22);
        assert_int_equal(decode(&forms[i], out.p, out.n, &again), WEIR_OK);
        assert_int_equal(out.n, again.n);
        assert_memory_equal(out.p, again.p, out.n);
        buffer_fini(&out);
        buffer_fini(&again);
    }
}

static void a_baseline_comes_back_field_by_field(void **state)
{
    (void)state;
    struct baseline b = rich_baseline(), back;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    assert_int_equal(baseline_encode(&b, &out), WEIR_OK);
    assert_int_equal(baseline_decode((struct slice){out.p, out.n}, &back), WEIR_OK);
    assert_memory_equal(back.feature, b.feature, sizeof b.feature);
    assert_memory_equal(&back.profile, &b.profile, sizeof b.profile);
    assert_memory_equal(back.run, b.run, sizeof b.run);
    assert_true(back.class_id == b.class_id && back.evicted == b.evicted && back.days == b.days && back.last_day == b.last_day);
    for (unsigned i = 0; i < b.groups; i++)
        assert_true(back.group[i].total == b.group[i].total && back.group[i].hours == b.group[i].hours && back.group[i].born == b.group[i].born);
    buffer_fini(&out);
}

static void an_empty_baseline_and_an_empty_class_come_back(void **state)
{
    (void)state;
    struct baseline b = fresh_baseline(), back;
    struct class_state *c = class_new(CLASS_ONE), *again = NULL;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    assert_int_equal(baseline_encode(&b, &out), WEIR_OK);
    assert_int_equal(baseline_decode((struct slice){out.p, out.n}, &back), WEIR_OK);
    assert_memory_equal(&b, &back, sizeof b);
    buffer_clear(&out);
    assert_int_equal(class_encode(c, &out), WEIR_OK);
    assert_int_equal(class_decode((struct slice){out.p, out.n}, &again), WEIR_OK);
    assert_true(class_id(again) == CLASS_ONE && class_days(again) == 0);
    class_free(c);
    class_free(again);
    buffer_fini(&out);
}

static void a_flipped_bit_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(forms); i++) {
        struct buffer out;
        made(&forms[i], &out);
        for (size_t bit = 0; bit < out.n * 8; bit += bit < 200 ? 1 : 3) {
            out.p[bit / 8] = (char)(out.p[bit / 8] ^ 1 << bit % 8);
            assert_int_not_equal(decode(&forms[i], out.p, out.n, NULL), WEIR_OK);
            out.p[bit / 8] = (char)(out.p[bit / 8] ^ 1 << bit % 8);
        }
        buffer_fini(&out);
    }
}

static void a_cut_value_is_refused_at_every_length(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(forms); i++) {
        struct buffer out;
        made(&forms[i], &out);
        for (size_t n = 0; n < out.n; n++)
            assert_int_not_equal(decode(&forms[i], out.p, n, NULL), WEIR_OK);
        buffer_fini(&out);
    }
}

static void sealed(const struct form *f, struct buffer *out, uint8_t version, const char *payload, size_t n)
{
    buffer_clear(out);
    size_t begin = blob_begin(out, f->kind, version);
    buffer_put(out, payload, n);
    blob_end(out, begin);
}

static void a_payload_sealed_too_short_or_too_long_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(forms); i++) {
        struct buffer good, bad;
        made(&forms[i], &good);
        buffer_init(&bad, 1 << 22);
        for (size_t n = 0; n < good.n - HEAD - TAIL; n++) {
            sealed(&forms[i], &bad, forms[i].version, good.p + HEAD, n);
            assert_int_equal(decode(&forms[i], bad.p, bad.n, NULL), WEIR_CORRUPT);
        }
        sealed(&forms[i], &bad, forms[i].version, good.p + HEAD, good.n - HEAD - TAIL + 1);
        assert_int_equal(decode(&forms[i], bad.p, bad.n, NULL), WEIR_CORRUPT);
        buffer_fini(&good);
        buffer_fini(&bad);
    }
}

static void a_newer_version_is_told_apart_from_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(forms); i++) {
        struct buffer out;
        buffer_init(&out, 4096);
        sealed(&forms[i], &out, (uint8_t)(forms[i].version + 1), "", 0);
        assert_int_equal(decode(&forms[i], out.p, out.n, NULL), WEIR_VERSION);
        buffer_fini(&out);
    }
}

/* A value that was made on purpose and sealed: decoded or refused, what comes out is safe to use. */
static void sealed_nonsense_is_refused_or_safe_to_use(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (size_t i = 0; i < WEIR_COUNT(forms); i++) {
        struct buffer good, bad;
        made(&forms[i], &good);
        buffer_init(&bad, 1 << 22);
        const size_t n = good.n - HEAD - TAIL;
        for (unsigned round = 0; round < 6000; round++) {
            size_t cut = random_next(&seed) % 4 ? n : random_next(&seed) % (n + 1);
            sealed(&forms[i], &bad, forms[i].version, good.p + HEAD, cut);
            for (uint64_t k = random_next(&seed) % 4 + 1; cut && k-- > 0;)
                bad.p[HEAD + random_next(&seed) % (random_next(&seed) % 2 ? cut : cut < 900 ? cut : 900)] = (char)random_next(&seed);
            struct buffer again;
            sealed(&forms[i], (buffer_init(&again, 1 << 22), &again), forms[i].version, bad.p + HEAD, cut);
            decode(&forms[i], again.p, again.n, NULL);
            buffer_fini(&again);
        }
        buffer_fini(&good);
        buffer_fini(&bad);
    }
}

static void a_profile_beyond_any_number_of_bytes_is_refused(void **state)
{
    (void)state;
    struct baseline b = rich_baseline(), back;
    struct buffer out;
    b.profile.mean[0][7] = UINT16_MAX;
    buffer_init(&out, 1 << 20);
    assert_int_equal(baseline_encode(&b, &out), WEIR_OK);
    assert_int_equal(baseline_decode((struct slice){out.p, out.n}, &back), WEIR_CORRUPT);
    buffer_fini(&out);
}

static void groups_out_of_order_are_refused(void **state)
{
    (void)state;
    struct baseline b = rich_baseline(), back;
    struct baseline_group first = b.group[0];
    struct buffer out;
    b.group[0] = b.group[1];
    b.group[1] = first;
    buffer_init(&out, 1 << 20);
    assert_int_equal(baseline_encode(&b, &out), WEIR_OK);
    assert_int_equal(baseline_decode((struct slice){out.p, out.n}, &back), WEIR_CORRUPT);
    buffer_fini(&out);
}

static void a_host_takes_four_kilobytes_at_most_as_the_manual_says(void **state)
{
    (void)state;
    struct buffer out;
    made(&forms[0], &out);
    assert_true(out.n <= 4096);
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_stored_comes_back_whole),
        cmocka_unit_test(a_baseline_comes_back_field_by_field),
        cmocka_unit_test(an_empty_baseline_and_an_empty_class_come_back),
        cmocka_unit_test(a_flipped_bit_is_refused),
        cmocka_unit_test(a_cut_value_is_refused_at_every_length),
        cmocka_unit_test(a_payload_sealed_too_short_or_too_long_is_refused),
        cmocka_unit_test(a_newer_version_is_told_apart_from_damage),
        cmocka_unit_test(sealed_nonsense_is_refused_or_safe_to_use),
        cmocka_unit_test(a_profile_beyond_any_number_of_bytes_is_refused),
        cmocka_unit_test(groups_out_of_order_are_refused),
        cmocka_unit_test(a_host_takes_four_kilobytes_at_most_as_the_manual_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
