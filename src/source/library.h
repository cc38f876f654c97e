/* Libraries that are opened at their first use. libcurl draws 26 more and 3.9 MiB into every process that is linked with it, and libexpat
 * another 0.15 MiB (measured on Debian 12); a run over a directory needs neither, and its memory is what we promise. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOURCE_LIBRARY_H
#define SOURCE_LIBRARY_H

#include <curl/curl.h>
#include <expat.h>

#include <weir/base.h>

struct curl_calls {
    CURLcode (*global_init)(long flags);
    CURL *(*init)(void);
    CURLcode (*setopt)(CURL *curl, CURLoption option, ...);
    CURLcode (*perform)(CURL *curl);
    CURLcode (*getinfo)(CURL *curl, CURLINFO info, ...);
    void (*reset)(CURL *curl);
    void (*cleanup)(CURL *curl);
    const char *(*error_text)(CURLcode code);
    struct curl_slist *(*append)(struct curl_slist *list, const char *line);
    void (*free_all)(struct curl_slist *list);
};
struct expat_calls {
    XML_Parser (*create)(const XML_Char *encoding);
    void (*free)(XML_Parser p);
    void (*set_user_data)(XML_Parser p, void *ctx);
    void (*on_element)(XML_Parser p, XML_StartElementHandler start, XML_EndElementHandler end);
    void (*on_text)(XML_Parser p, XML_CharacterDataHandler text);
    void (*on_doctype)(XML_Parser p, XML_StartDoctypeDeclHandler start);
    enum XML_Status (*stop)(XML_Parser p, XML_Bool resumable);
    enum XML_Status (*parse)(XML_Parser p, const char *text, int n, int final);
    enum XML_Error (*error_of)(XML_Parser p);
    const XML_LChar *(*error_text)(enum XML_Error error);
};

/* NULL, with a fault that names the package, where it is not installed. From any thread; what was opened stays. */
const struct curl_calls *library_curl(struct fault *fault);
const struct expat_calls *library_expat(struct fault *fault);

#endif
