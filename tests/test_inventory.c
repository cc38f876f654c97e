/* SPDX-License-Identifier: Apache-2.0 */
/* app, inventory: the JSON of the AWS command line and the CSV table, in any order and mix; what is refused, and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/inventory_build.h"

/* Shaped as the command line prints it, with keys that weir passes over. */
#define INTERFACES                                                                                                                 \
    "{\"NetworkInterfaces\":[{\"Attachment\":{\"AttachmentId\":\"a\",\"InstanceId\":\"i-db\",\"DeviceIndex\":0},"                     \
    "\"AvailabilityZone\":\"us-east-1a\",\"Description\":\"\",\"Groups\":[{\"GroupId\":\"sg-1\"}],\"InterfaceType\":\"interface\","   \
    "\"Ipv6Addresses\":[{\"Ipv6Address\":\"2001:db8::5\"}],\"NetworkInterfaceId\":\"eni-db\",\"OwnerId\":\"123456789012\","          \
    "\"PrivateIpAddress\":\"10.0.1.5\",\"PrivateIpAddresses\":[{\"Primary\":true,\"PrivateIpAddress\":\"10.0.1.5\"},"                \
    "{\"Primary\":false,\"PrivateIpAddress\":\"10.0.1.6\"}],\"SubnetId\":\"subnet-1\",\"TagSet\":[],\"VpcId\":\"vpc-1\"},"           \
    "{\"NetworkInterfaceId\":\"eni-lb\",\"PrivateIpAddress\":\"10.0.2.9\",\"SubnetId\":\"subnet-2\",\"VpcId\":\"vpc-1\","            \
    "\"TagSet\":[{\"Key\":\"Name\",\"Value\":\"front door\"},{\"Key\":\"role\",\"Value\":\"edge\"}]}]}"
#define INSTANCES                                                                                                                  \
    "{\"Reservations\":[{\"OwnerId\":\"123456789012\",\"Instances\":[{\"InstanceId\":\"i-db\",\"VpcId\":\"vpc-1\",\"SubnetId\":\"subnet-1\"," \
    "\"State\":{\"Name\":\"running\"},\"Tags\":[{\"Key\":\"Name\",\"Value\":\"patients-db-1\"},{\"Key\":\"role\",\"Value\":\"db\"}],"       \
    "\"NetworkInterfaces\":[{\"NetworkInterfaceId\":\"eni-db\",\"OwnerId\":\"123456789012\",\"VpcId\":\"vpc-1\",\"SubnetId\":\"subnet-1\"," \
    "\"PrivateIpAddresses\":[{\"PrivateIpAddress\":\"10.0.1.5\"}],\"Ipv6Addresses\":[]}]}]}]}"
#define SUBNETS                                                                                                                    \
    "{\"Subnets\":[{\"SubnetId\":\"subnet-1\",\"VpcId\":\"vpc-1\",\"CidrBlock\":\"10.0.1.0/24\",\"Ipv6CidrBlockAssociationSet\":[],"  \
    "\"Tags\":[{\"Key\":\"Name\",\"Value\":\"private-a\"}]},{\"SubnetId\":\"subnet-2\",\"VpcId\":\"vpc-1\",\"CidrBlock\":\"10.0.2.0/24\"," \
    "\"Ipv6CidrBlockAssociationSet\":[{\"Ipv6CidrBlock\":\"2001:db8:2::/64\"}]},"                                                  \
    "{\"SubnetId\":\"subnet-9\",\"VpcId\":\"vpc-9\",\"CidrBlock\":\"10.0.1.0/24\"}]}"

static struct ip ip(const char *text)
{
    struct ip a = {0, 0};
    if (ip_parse(slice_of(text), &a))
        fail_msg("refused: %s", text);
    return a;
}

static enum weir_err add(struct inventory *inv, const char *text, struct fault *fault)
{
    size_t n = strlen(text);
    char *copy = malloc(n + 1); /* exactly as long, so that a sanitizer sees a read beyond */
    memcpy(copy, text, n);
    enum weir_err err = inventory_add(inv, (struct slice){copy, n}, "f", fault);
    free(copy);
    return err;
}

static struct inventory *inventory_of(const char *const *texts, size_t n)
{
    struct inventory *inv = inventory_new("role");
    struct fault fault = {0};
    assert_non_null(inv);
    for (size_t i = 0; i < n; i++)
        if (add(inv, texts[i], &fault))
            fail_msg("%s", fault.text);
    inventory_finish(inv);
    return inv;
}
#define INVENTORY(...) inventory_of((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void says(const struct inventory *inv, const char *interface, const char *vpc, const char *host, const char *wanted)
{
    struct inventory_host h;
    char text[400];
    bool found = inventory_find(inv, slice_of(interface), slice_of(vpc), ip(host), &h);
    struct slice class = inventory_class(inv, slice_of(interface), slice_of(vpc), ip(host));
    snprintf(text, sizeof text, "%s name=%.*s role=%.*s instance=%.*s subnet=%.*s (%.*s) vpc=%.*s class=%.*s", found ? "known" : "unknown",
             (int)h.name.n, h.name.p, (int)h.role.n, h.role.p, (int)h.instance.n, h.instance.p, (int)h.subnet.n, h.subnet.p,
             (int)h.subnet_name.n, h.subnet_name.p, (int)h.vpc.n, h.vpc.p, (int)class.n, class.p);
    assert_string_equal(text, wanted);
}

#define DB "known name=patients-db-1 role=db instance=i-db subnet=subnet-1 (private-a) vpc=vpc-1 class=db"

static void an_interface_is_known_by_its_instance_and_subnet_in_any_order_of_files(void **state)
{
    (void)state;
    const char *const text[] = {INTERFACES, INSTANCES, SUBNETS};
    static const unsigned order[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t i = 0; i < 6; i++) {
        struct inventory *inv = INVENTORY(text[order[i][0]], text[order[i][1]], text[order[i][2]]);
        says(inv, "eni-db", "", "10.0.1.5", DB);
        says(inv, "", "vpc-1", "10.0.1.6", DB);
        says(inv, "", "vpc-1", "2001:db8::5", DB);
        says(inv, "eni-lb", "vpc-1", "10.0.2.9", "known name=front door role=edge instance= subnet=subnet-2 () vpc=vpc-1 class=edge");
        inventory_free(inv);
    }
}

static void a_host_that_is_not_listed_is_of_the_subnet_that_holds_it(void **state)
{
    (void)state;
    struct inventory *inv = INVENTORY(SUBNETS);
    says(inv, "eni-new", "vpc-1", "10.0.1.77", "known name= role= instance= subnet=subnet-1 (private-a) vpc=vpc-1 class=subnet-1");
    says(inv, "eni-new", "vpc-9", "10.0.1.77", "known name= role= instance= subnet=subnet-9 () vpc=vpc-9 class=subnet-9");
    says(inv, "eni-new", "vpc-1", "2001:db8:2::1", "known name= role= instance= subnet=subnet-2 () vpc=vpc-1 class=subnet-2");
    says(inv, "eni-new", "vpc-1", "10.0.3.1", "unknown name= role= instance= subnet= () vpc=vpc-1 class=");
    says(inv, "eni-new", "", "10.0.1.77", "unknown name= role= instance= subnet= () vpc= class=");
    inventory_free(inv);
}

static void an_address_in_two_vpcs_needs_the_vpc(void **state)
{
    (void)state;
    struct inventory *inv = INVENTORY("address,vpc,name\n10.0.0.1,vpc-1,one\n10.0.0.1,vpc-2,two\n10.0.0.2,vpc-2,three\n");
    says(inv, "", "vpc-2", "10.0.0.1", "known name=two role= instance= subnet= () vpc=vpc-2 class=");
    says(inv, "", "", "10.0.0.1", "unknown name= role= instance= subnet= () vpc= class=");
    says(inv, "", "", "10.0.0.2", "known name=three role= instance= subnet= () vpc=vpc-2 class=");
    inventory_free(inv);
}

static void a_table_names_its_columns_in_any_order_and_may_quote(void **state)
{
    (void)state;
    struct inventory *inv = INVENTORY("role,name,interface,address\r\ndb,\"a \"\"b\"\", c\",eni-1,10.0.0.1 10.0.0.2\r\n,,eni-2,\r\n\r\n");
    says(inv, "", "", "10.0.0.2", "known name=a \"b\", c role=db instance= subnet= () vpc= class=db");
    says(inv, "eni-2", "", "10.0.0.9", "known name= role= instance= subnet= () vpc= class=");
    struct inventory_counts c = inventory_counts(inv);
    assert_int_equal(c.interfaces, 2);
    assert_int_equal(c.with_role, 1);
    assert_int_equal(c.addresses, 2);
    inventory_free(inv);
}

static void what_has_no_interface_id_is_counted_with_its_role(void **state)
{
    (void)state;
    struct inventory *inv = INVENTORY("address,role,subnet\n10.0.0.1,db,subnet-1\n10.0.0.2,,\n");
    struct inventory_counts c = inventory_counts(inv);
    assert_int_equal(c.interfaces, 2);
    assert_int_equal(c.with_role, 1);
    assert_int_equal(c.with_subnet, 1);
    inventory_free(inv);
}

static void json_and_table_describe_the_same_interface(void **state)
{
    (void)state;
    struct inventory *inv = INVENTORY(INTERFACES, "interface,role,name\neni-db,phi,the database\n");
    says(inv, "eni-db", "", "10.0.1.5", "known name=the database role=phi instance=i-db subnet=subnet-1 () vpc=vpc-1 class=phi");
    inventory_free(inv);
}

static void no_inventory_knows_nobody(void **state)
{
    (void)state;
    says(NULL, "eni-1", "vpc-1", "10.0.0.1", "unknown name= role= instance= subnet= () vpc= class=");
}

static const struct { const char *text, *why; } refused[] = {
    {"", "inventory 'f' is empty"},
    {"{\"NetworkInterfaces\": [\n  {\"NetworkInterfaceId\" \"eni\"}]}", "inventory 'f': line 2, column 29: ':' expected near '\"eni\"'"},
    {"{}", "inventory 'f': none of the lists NetworkInterfaces, Reservations, Subnets"},
    {"[]", "inventory 'f': none of the lists NetworkInterfaces, Reservations, Subnets"},
    {"{\"Subnets\":{}}", "inventory 'f': 'Subnets' is not a list"},
    {"{\"Subnets\":[1]}", "inventory 'f': Subnets[0]: not an object"},
    {"{\"Subnets\":[{\"VpcId\":\"v\"}]}", "inventory 'f': Subnets[0].SubnetId: missing, or not text"},
    {"{\"Subnets\":[{\"SubnetId\":\"s\",\"CidrBlock\":\"10.0.0.1/8\"}]}", "inventory 'f': Subnets[0].CidrBlock: not an address or network"},
    {"{\"Reservations\":[{\"Instances\":[{\"InstanceId\":\"i\",\"VpcId\":7}]}]}", "inventory 'f': Reservations[0].Instances[0].VpcId: not text"},
    {"{\"NetworkInterfaces\":[{\"NetworkInterfaceId\":\"e\",\"VpcId\":\"a\"},{\"NetworkInterfaceId\":\"e\",\"VpcId\":\"b\"}]}",
     "inventory 'f': NetworkInterfaces[1].VpcId: another value was told before"},
    {"interface,colour\n", "inventory 'f': line 1, column 11: unknown column 'colour'"},
    {"interface,subnets\n", "inventory 'f': line 1, column 11: unknown column 'subnets', the nearest is 'subnet'"},
    {"interface,\n", "inventory 'f': line 1, column 11: unknown column ''"},
    {"interface,name,name\n", "inventory 'f': line 1, column 16: the column stands twice in the header"},
    {"name,role\n", "inventory 'f': line 1, column 1: neither a column 'interface' nor 'address'"},
    {"interface,name\neni-1\n", "inventory 'f': line 2, column 6: fewer cells than columns"},
    {"interface,name\neni-1,a,b\n", "inventory 'f': line 2, column 9: more cells than columns"},
    {"interface,name\n,a\n", "inventory 'f': line 2, column 1: neither interface nor address"},
    {"interface,address\neni-1,10.0.0\n", "inventory 'f': line 2, column 7: not an address"},
    {"interface,name\neni-1,\"a\n", "inventory 'f': line 2, column 7: the quote is not closed"},
    {"interface,name\neni-1,\"a\"b\n", "inventory 'f': line 2, column 10: text behind a closing quote"},
    {"interface,name\neni-1,a\"b\n", "inventory 'f': line 2, column 7: a quote inside a cell that is not quoted"},
    {"interface,name\neni-1,a\neni-1,b\n", "inventory 'f': line 3, column 7: another name was told before"},
};

static void anything_else_is_refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < WEIR_COUNT(refused); i++) {
        struct inventory *inv = inventory_new("role");
        struct fault fault = {0};
        assert_int_equal(add(inv, refused[i].text, &fault), WEIR_USAGE);
        assert_string_equal(fault.text, refused[i].why);
        inventory_free(inv);
    }
}

static void a_text_that_is_too_long_is_refused(void **state)
{
    (void)state;
    struct buffer b;
    struct inventory *inv = inventory_new("role");
    struct fault fault = {0};
    buffer_init(&b, 10000);
    buffer_puts(&b, "interface,name\neni-1,");
    for (unsigned i = 0; i <= INVENTORY_TEXT_MAX; i++)
        buffer_puts(&b, "x");
    assert_int_equal(add(inv, buffer_cstr(&b), &fault), WEIR_USAGE);
    assert_string_equal(fault.text, "inventory 'f': line 2, column 7: the cell is too long");
    buffer_fini(&b);
    inventory_free(inv);
}

/* ---- files ---- */

static void put(const char *folder, const char *name, const char *text)
{
    char path[100];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "we");
    assert_true(out && fputs(text, out) >= 0 && fclose(out) == 0);
}

static void a_directory_is_read_and_what_its_files_are_called_does_not_matter(void **state)
{
    (void)state;
    char folder[] = "/tmp/weir-inventory-XXXXXX", command[128];
    struct inventory *inv;
    struct data_about one = {0}, two = {0};
    struct fault fault = {0};
    assert_non_null(mkdtemp(folder));
    assert_int_equal(inventory_read(folder, "role", &inv, &one, &fault), WEIR_USAGE);
    assert_non_null(strstr(fault.text, "no file *.json or *.csv in"));
    put(folder, "a.json", INTERFACES);
    put(folder, "b.json", INSTANCES);
    put(folder, "c.csv", "interface,name\neni-x,x\n");
    put(folder, "README", "not read");
    assert_int_equal(inventory_read(folder, "role", &inv, &one, &fault), WEIR_OK);
    assert_int_equal(inventory_counts(inv).files, 3);
    assert_int_equal(one.entries, 3);
    inventory_free(inv);
    snprintf(command, sizeof command, "mv %s/a.json %s/z.json", folder, folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(inventory_read(folder, "role", &inv, &two, &fault), WEIR_OK);
    assert_memory_equal(one.id.b, two.id.b, SHA256_BYTES);
    inventory_free(inv);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

static void ten_thousand_interfaces_are_found_again(void **state)
{
    (void)state;
    struct buffer b;
    struct inventory *inv = inventory_new("role");
    struct fault fault = {0};
    buffer_init(&b, 4u << 20);
    buffer_puts(&b, "interface,address,role\n");
    for (unsigned i = 0; i < 10000; i++)
        buffer_printf(&b, "eni-%u,10.0.%u.%u,r%u\n", i, i >> 8, i & 255, i % 7);
    assert_int_equal(add(inv, buffer_cstr(&b), &fault), WEIR_OK);
    inventory_finish(inv);
    for (unsigned i = 0; i < 10000; i++) {
        char id[20], role[8];
        snprintf(id, sizeof id, "eni-%u", i);
        snprintf(role, sizeof role, "r%u", i % 7);
        struct ip a = ip_from_v4(0x0a000000u | (i >> 8) << 8 | (i & 255));
        assert_true(slice_eq(inventory_class(inv, slice_of(id), SLICE_LIT(""), a), slice_of(role)));
        assert_true(slice_eq(inventory_class(inv, SLICE_LIT(""), SLICE_LIT(""), a), slice_of(role)));
    }
    buffer_fini(&b);
    inventory_free(inv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interface_is_known_by_its_instance_and_subnet_in_any_order_of_files),
        cmocka_unit_test(a_host_that_is_not_listed_is_of_the_subnet_that_holds_it),
        cmocka_unit_test(an_address_in_two_vpcs_needs_the_vpc),
        cmocka_unit_test(a_table_names_its_columns_in_any_order_and_may_quote),
        cmocka_unit_test(what_has_no_interface_id_is_counted_with_its_role),
        cmocka_unit_test(json_and_table_describe_the_same_interface),
        cmocka_unit_test(no_inventory_knows_nobody),
        cmocka_unit_test(anything_else_is_refused_with_its_place),
        cmocka_unit_test(a_text_that_is_too_long_is_refused),
        cmocka_unit_test(a_directory_is_read_and_what_its_files_are_called_does_not_matter),
        cmocka_unit_test(ten_thousand_interfaces_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
