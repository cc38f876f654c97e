/* A name server that does not answer holds nothing up: claims about the look-up of the host of a store. getaddrinfo is the one of this file, which
 * hangs until it is let go. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <weir/store.h>

#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int gate[2];
static _Atomic int asked, answered;

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out)
{
    char letter;
    (void)host, (void)port, (void)out;
    if (hints->ai_flags & AI_NUMERICHOST)
        return EAI_NONAME;
    asked++;
    (void)!read(gate[0], &letter, 1);
    answered++;
    return EAI_FAIL;
}

void freeaddrinfo(struct addrinfo *all) { (void)all; }

static int open_gate(void **state)
{
    (void)state;
    asked = answered = 0;
    return pipe(gate);
}

static int close_gate(void **state)
{
    (void)state;
    close(gate[1]); /* whoever still waits is let go */
    while (answered < asked) {}
    close(gate[0]);
    return 0;
}

static void a_name_server_that_is_silent_ends_in_time(void **state)
{
    struct store *s = NULL;
    struct fault fault;
    struct timespec begin, end;
    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    assert_int_equal(store_open("redis://db.example", STORE_READ_ONLY, &s, &fault), WEIR_UNAVAILABLE);
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_int_equal(asked, 1);
    assert_int_equal(answered, 0); /* it was given up, not waited for */
    assert_true(end.tv_sec - begin.tv_sec >= 1);
    assert_non_null(strstr(fault.text, "cannot reach the store at 'db.example:6379'"));
}

static void what_a_name_server_says_is_told(void **state)
{
    struct store *s = NULL;
    struct fault fault;
    (void)state;
    assert_int_equal(write(gate[1], "x", 1), 1);
    assert_int_equal(store_open("redis://db.example", STORE_READ_ONLY, &s, &fault), WEIR_UNAVAILABLE);
    assert_int_equal(answered, 1);
    assert_non_null(strstr(fault.text, gai_strerror(EAI_FAIL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_name_server_that_is_silent_ends_in_time, open_gate, close_gate),
        cmocka_unit_test_setup_teardown(what_a_name_server_says_is_told, open_gate, close_gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
