/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of the AWS command line. Keys that weir does not need are passed over (there are many, and new ones come); those it
 * needs must be of their type. Damaged JSON is told by line and column, a wrong value by its place in the document.
 * Source: AWS CLI reference, ec2 describe-network-interfaces, describe-instances, describe-subnets; read 2026. */
#include "app/inventory_build.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct place { /* where we are: "Reservations[2].Instances[0]" */
    const struct place *above;
    const char *key;
    size_t i;
};

struct document {
    struct inventory *inv;
    const char *name;
    struct fault *fault;
};

static size_t put_place(const struct place *p, char *out, size_t cap)
{
    size_t n = p->above ? put_place(p->above, out, cap) : 0;
    int more = n < cap ? snprintf(out + n, cap - n, "%s%s[%zu]", n ? "." : "", p->key, p->i) : 0;
    return n + (size_t)(more > 0 ? more : 0);
}

static enum weir_err refuse(const struct document *d, const struct place *p, const char *key, const char *why)
{
    char where[160] = "";
    put_place(p, where, sizeof where);
    return fault_set(d->fault, WEIR_USAGE, "inventory '%.100s': %s%s%s: %s", d->name, where, *key ? "." : "", key, why);
}

static enum weir_err refuse_field(const struct document *d, const struct place *p, const char *key, enum weir_err err)
{
    const char *why = err == WEIR_EXISTS ? "another value was told before" : err == WEIR_RANGE ? "too long" : weir_err_text(err);
    return err == WEIR_NOMEM ? fault_set(d->fault, err, "out of memory") : refuse(d, p, key, why);
}

/* Text or absent (also null); SYNTAX if it is anything else. */
static enum weir_err text_of(const json_t *in, const char *key, struct slice *out)
{
    const json_t *v = json_object_get(in, key);
    *out = (struct slice){"", 0};
    if (json_is_string(v))
        *out = (struct slice){json_string_value(v), json_string_length(v)};
    return !v || json_is_null(v) || json_is_string(v) ? WEIR_OK : WEIR_SYNTAX;
}

static enum weir_err take_text(const struct document *d, const struct place *p, uint32_t thing, const json_t *in, const char *key, enum thing_field field)
{
    struct slice text;
    if (text_of(in, key, &text))
        return refuse(d, p, key, "not text");
    enum weir_err err = inventory_set(d->inv, thing, field, text);
    return err ? refuse_field(d, p, key, err) : WEIR_OK;
}

typedef enum weir_err take(const struct document *d, const struct place *p, uint32_t above, const json_t *entry);

/* Each entry of the list, which may be absent. */
static enum weir_err take_list(const struct document *d, const struct place *above, uint32_t thing, const json_t *in, const char *key, take *each)
{
    const json_t *list = json_object_get(in, key);
    struct place p = {above, key, 0};
    if (list && !json_is_null(list) && !json_is_array(list))
        return fault_set(d->fault, WEIR_USAGE, "inventory '%.100s': '%s' is not a list", d->name, key);
    enum weir_err err = WEIR_OK;
    for (; !err && p.i < json_array_size(list); p.i++)
        err = json_is_object(json_array_get(list, p.i)) ? each(d, &p, thing, json_array_get(list, p.i)) : refuse(d, &p, "", "not an object");
    return err;
}

static enum weir_err take_tag(const struct document *d, const struct place *p, uint32_t thing, const json_t *tag)
{
    struct slice key;
    if (text_of(tag, "Key", &key))
        return refuse(d, p, "Key", "not text");
    if (slice_eq(key, SLICE_LIT("Name")))
        return take_text(d, p, thing, tag, "Value", THING_NAME);
    if (slice_eq(key, slice_of(inventory_role_tag(d->inv))))
        return take_text(d, p, thing, tag, "Value", THING_ROLE);
    return WEIR_OK;
}

static enum weir_err take_network(const struct document *d, const struct place *p, uint32_t thing, const json_t *in, const char *key)
{
    struct slice text;
    struct ip first, last;
    if (text_of(in, key, &text))
        return refuse(d, p, key, "not text");
    if (!text.n)
        return WEIR_OK;
    if (cidr_parse(text, &first, &last))
        return refuse(d, p, key, "not an address or network");
    enum weir_err err = inventory_add_range(d->inv, thing, first, last);
    return err ? refuse_field(d, p, key, err) : WEIR_OK;
}

static enum weir_err take_v4(const struct document *d, const struct place *p, uint32_t thing, const json_t *entry)
{
    return take_network(d, p, thing, entry, "PrivateIpAddress");
}

static enum weir_err take_v6(const struct document *d, const struct place *p, uint32_t thing, const json_t *entry)
{
    return take_network(d, p, thing, entry, "Ipv6Address");
}

static enum weir_err take_v6_block(const struct document *d, const struct place *p, uint32_t thing, const json_t *entry)
{
    return take_network(d, p, thing, entry, "Ipv6CidrBlock");
}

/* A thing by its id, which must be there, with what all of them have. */
static enum weir_err take_thing(const struct document *d, const struct place *p, enum thing_kind kind, const json_t *entry, const char *key, uint32_t *out)
{
    struct slice id;
    if (text_of(entry, key, &id) || !id.n)
        return refuse(d, p, key, "missing, or not text");
    enum weir_err err = inventory_thing(d->inv, kind, id, out);
    if (err)
        return refuse_field(d, p, key, err);
    err = take_text(d, p, *out, entry, "OwnerId", THING_ACCOUNT);
    if (!err)
        err = take_text(d, p, *out, entry, "VpcId", THING_VPC);
    if (!err && kind != THING_SUBNET)
        err = take_text(d, p, *out, entry, "SubnetId", THING_THING_SUBNET);
    if (!err)
        err = take_list(d, p, *out, entry, "Tags", take_tag);
    return err ? err : take_list(d, p, *out, entry, "TagSet", take_tag);
}

static enum weir_err take_interface(const struct document *d, const struct place *p, uint32_t none, const json_t *entry)
{
    uint32_t thing;
    (void)none;
    enum weir_err err = take_thing(d, p, THING_INTERFACE, entry, "NetworkInterfaceId", &thing);
    if (!err)
        err = take_list(d, p, thing, entry, "PrivateIpAddresses", take_v4);
    if (!err && !json_object_get(entry, "PrivateIpAddresses"))
        err = take_v4(d, p, thing, entry);
    if (!err)
        err = take_list(d, p, thing, entry, "Ipv6Addresses", take_v6);
    return err ? err : take_text(d, p, thing, json_object_get(entry, "Attachment"), "InstanceId", THING_THING_INSTANCE);
}

/* The interface of an instance: what it says itself, and whose it is. */
static enum weir_err take_own_interface(const struct document *d, const struct place *p, uint32_t none, const json_t *entry)
{
    (void)none;
    return take_interface(d, p, 0, entry);
}

static enum weir_err link_interfaces(const struct document *d, const struct place *p, const json_t *instance)
{
    const json_t *list = json_object_get(instance, "NetworkInterfaces"), *entry;
    struct slice id, owner;
    size_t i;
    uint32_t thing;
    enum weir_err err = text_of(instance, "InstanceId", &owner);
    json_array_foreach(list, i, entry)
        if (!err && !(err = text_of(entry, "NetworkInterfaceId", &id)) && !(err = inventory_thing(d->inv, THING_INTERFACE, id, &thing)))
            err = inventory_set(d->inv, thing, THING_THING_INSTANCE, owner);
    return err ? refuse_field(d, p, "NetworkInterfaces", err) : WEIR_OK;
}

static enum weir_err take_instance(const struct document *d, const struct place *p, uint32_t none, const json_t *entry)
{
    uint32_t thing;
    (void)none;
    enum weir_err err = take_thing(d, p, THING_INSTANCE, entry, "InstanceId", &thing);
    if (!err)
        err = take_list(d, p, thing, entry, "NetworkInterfaces", take_own_interface);
    return err ? err : link_interfaces(d, p, entry);
}

static enum weir_err take_reservation(const struct document *d, const struct place *p, uint32_t none, const json_t *entry)
{
    return take_list(d, p, none, entry, "Instances", take_instance);
}

static enum weir_err take_subnet(const struct document *d, const struct place *p, uint32_t none, const json_t *entry)
{
    uint32_t thing;
    (void)none;
    enum weir_err err = take_thing(d, p, THING_SUBNET, entry, "SubnetId", &thing);
    if (!err)
        err = take_network(d, p, thing, entry, "CidrBlock");
    return err ? err : take_list(d, p, thing, entry, "Ipv6CidrBlockAssociationSet", take_v6_block);
}

static enum weir_err take_document(const struct document *d, const json_t *root)
{
    static const struct { const char *key; take *each; } lists[] = {
        {"NetworkInterfaces", take_interface}, {"Reservations", take_reservation}, {"Subnets", take_subnet}};
    bool any = false;
    enum weir_err err = WEIR_OK;
    for (size_t i = 0; i < WEIR_COUNT(lists) && !err; i++) {
        any |= json_object_get(root, lists[i].key) != NULL;
        err = take_list(d, NULL, 0, root, lists[i].key, lists[i].each);
    }
    if (!err && !any)
        return fault_set(d->fault, WEIR_USAGE, "inventory '%.100s': none of the lists NetworkInterfaces, Reservations, Subnets", d->name);
    return err;
}

enum weir_err inventory_add_json(struct inventory *inv, struct slice text, const char *name, struct fault *fault)
{
    json_error_t error;
    struct document d = {inv, name, fault};
    json_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return fault_set(fault, WEIR_USAGE, "inventory '%.100s': line %d, column %d: %s", name, error.line, error.column, error.text);
    enum weir_err err = take_document(&d, root);
    json_decref(root);
    return err;
}
