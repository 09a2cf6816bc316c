/* http_url.c - URLs as libcurl's own parser reads them, so that what is checked
 * here is what is spoken to later. */
#include <stdio.h>
#include <string.h>

#include "http_impl.h"

int http_url_set(CURLU *u, const char *url)
{
    const unsigned flags = CURLU_DISALLOW_USER | CURLU_PATH_AS_IS;
    return curl.curl_url_set(u, CURLUPART_URL, url, flags) == CURLUE_OK ? 0
                                                                        : -1;
}

static int part(CURLU *u, CURLUPart which, unsigned flags, char *out,
                size_t size)
{
    char *text = NULL;
    if (curl.curl_url_get(u, which, &text, flags) != CURLUE_OK)
        return -1;
    size_t n = strlen(text);
    if (n < size)
        memcpy(out, text, n + 1);
    curl.curl_free(text);
    return n < size ? 0 : -1;
}

static int origin_of(CURLU *u, char origin[HTTP_ORIGIN_MAX])
{
    char scheme[8], host[260], port[8];
    if (part(u, CURLUPART_SCHEME, 0, scheme, sizeof scheme) < 0 ||
        part(u, CURLUPART_HOST, 0, host, sizeof host) < 0 ||
        part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof port) < 0 ||
        (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0))
        return -1;
    for (char *p = host; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p += 'a' - 'A';
    int n = snprintf(origin, HTTP_ORIGIN_MAX, "%s://%s:%s", scheme, host, port);
    return n < HTTP_ORIGIN_MAX ? 0 : -1;
}

int http_origin(const char *url, char origin[HTTP_ORIGIN_MAX])
{
    CURLU *u = curl.curl_url();
    if (!u)
        return -1;
    int r = http_url_set(u, url) == 0 ? origin_of(u, origin) : -1;
    curl.curl_url_cleanup(u);
    return r;
}

size_t http_origin_length(const char *url)
{
    const char *scheme = strstr(url, "://");
    return scheme ? (size_t)(scheme - url) + 3 + strcspn(scheme + 3, "/?#") : 0;
}
