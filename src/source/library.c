/* See library.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "source/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

struct symbol { const char *name; void *into; }; /* a pointer to a function */

static struct curl_calls curl;
static const struct symbol of_curl[] = {
    {"curl_global_init", &curl.global_init}, {"curl_easy_init", &curl.init}, {"curl_easy_setopt", &curl.setopt}, {"curl_easy_perform", &curl.perform},
    {"curl_easy_getinfo", &curl.getinfo}, {"curl_easy_reset", &curl.reset}, {"curl_easy_cleanup", &curl.cleanup}, {"curl_easy_strerror", &curl.error_text},
    {"curl_slist_append", &curl.append}, {"curl_slist_free_all", &curl.free_all},
};
static struct expat_calls expat;
static const struct symbol of_expat[] = {
    {"XML_ParserCreate", &expat.create}, {"XML_ParserFree", &expat.free}, {"XML_SetUserData", &expat.set_user_data},
    {"XML_SetElementHandler", &expat.on_element}, {"XML_SetCharacterDataHandler", &expat.on_text}, {"XML_SetStartDoctypeDeclHandler", &expat.on_doctype},
    {"XML_StopParser", &expat.stop}, {"XML_Parse", &expat.parse}, {"XML_GetErrorCode", &expat.error_of}, {"XML_ErrorString", &expat.error_text},
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool have_curl, have_expat;

/* dlsym gives a pointer to data, which ISO C does not turn into one to a function; POSIX says that the bits are the same. */
static bool open_library(const char *file, const char *package, const struct symbol *symbol, size_t n, struct fault *fault)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; library && i < n; i++) {
        void *found = dlsym(library, symbol[i].name);
        if (!found)
            library = NULL; /* stays open: it is the wrong one, and the program is about to end */
        else
            memcpy(symbol[i].into, &found, sizeof found);
    }
    if (!library)
        fault_set(fault, WEIR_UNSUPPORTED, "what begins with s3:// needs the library %s, which is not installed (Debian: apt-get install %s)", file, package);
    return library != NULL;
}

const struct curl_calls *library_curl(struct fault *fault)
{
    pthread_mutex_lock(&lock);
    have_curl = have_curl || (open_library("libcurl.so.4", "libcurl4", of_curl, WEIR_COUNT(of_curl), fault) &&
                              (curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK || (fault_set(fault, WEIR_UNSUPPORTED, "libcurl cannot start"), false)));
    pthread_mutex_unlock(&lock);
    return have_curl ? &curl : NULL;
}

const struct expat_calls *library_expat(struct fault *fault)
{
    pthread_mutex_lock(&lock);
    have_expat = have_expat || open_library("libexpat.so.1", "libexpat1", of_expat, WEIR_COUNT(of_expat), fault);
    pthread_mutex_unlock(&lock);
    return have_expat ? &expat : NULL;
}
