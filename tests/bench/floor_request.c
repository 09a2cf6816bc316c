/* floor_request.c - the three requests of a take, and their answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "floor.h"

static struct curl_slist *submit_headers, *poll_headers, *fetch_headers;
static char submit_url[256];

static void header_add(struct curl_slist **list, const char *line)
{
    *list = must(curl_slist_append(*list, line));
}

void request_init(const struct options *o)
{
    const char *key = getenv("RUNWAYML_API_SECRET");
    char auth[256];

    snprintf(auth, sizeof auth, "Authorization: Bearer %s",
             key ? key : "key_bench");
    snprintf(submit_url, sizeof submit_url, "%s/v1/text_to_video", o->base);
    struct curl_slist **lists[] = {&submit_headers, &poll_headers};
    for (int i = 0; i < 2; i++) {
        header_add(lists[i], auth);
        header_add(lists[i], "X-Runway-Version: 2024-11-06");
        header_add(lists[i], "Accept: application/json");
    }
    header_add(&submit_headers, "Content-Type: application/json");
    header_add(&fetch_headers, "Accept: */*");
}

static size_t on_body(char *out, size_t size, size_t n, void *user)
{
    struct slot *s = user;
    size_t len = s->body_len - s->body_sent;

    if (len > size * n)
        len = size * n;
    memcpy(out, s->body + s->body_sent, len);
    s->body_sent += len;
    return len;
}

/* A paid request is never sent twice: libcurl repeats a POST by itself
 * when a reused connection dies, unless its body cannot be rewound. */
static int on_rewind(void *user, curl_off_t offset, int origin)
{
    (void)user, (void)offset, (void)origin;
    return CURL_SEEKFUNC_FAIL;
}

static size_t on_answer(char *data, size_t size, size_t n, void *user)
{
    struct slot *s = user;
    size_t len = size * n;

    if (s->kind == FETCH)
        return fetch_write(data, size, n, user);
    if (len > sizeof s->answer - 1 - s->answer_len)
        return 0;
    memcpy(s->answer + s->answer_len, data, len);
    s->answer_len += len;
    s->answer[s->answer_len] = '\0';
    return len;
}

void request_setup(struct slot *s, const struct options *o)
{
    CURL *c = s->easy;

    curl_easy_setopt(c, CURLOPT_PRIVATE, s);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_PROXY, ""); /* skips six getenv a request */
    curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(c, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_READDATA, s);
    curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, on_rewind);
    curl_easy_setopt(c, CURLOPT_SEEKDATA, s);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, s);
    if (o->h1)
        curl_easy_setopt(c, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    if (o->cacert)
        curl_easy_setopt(c, CURLOPT_CAINFO, o->cacert);
}

static void prepare_submit(struct slot *s)
{
    int n = snprintf(
        s->body, sizeof s->body,
        "{\"model\":\"gen4.5\",\"promptText\":\"take %u: the heroine walks "
        "through the lobby of the old hotel, late sun through tall windows, "
        "dust in the light, slow dolly in, 35mm lens, warm grade, she stops "
        "at the desk and looks over her shoulder, shallow depth of field, "
        "natural motion, no text, no logos\",\"ratio\":\"1280:720\","
        "\"duration\":5,\"seed\":%u}",
        s->job->index, s->job->index);
    s->body_len = (size_t)n;
    s->body_sent = 0;
    curl_easy_setopt(s->easy, CURLOPT_URL, submit_url);
    curl_easy_setopt(s->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE, (long)n);
    curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, submit_headers);
}

void request_prepare(struct slot *s, const struct options *o)
{
    char url[256];

    s->answer_len = 0;
    if (s->kind == SUBMIT) {
        prepare_submit(s);
        return;
    }
    curl_easy_setopt(s->easy, CURLOPT_HTTPGET, 1L);
    if (s->kind == POLL) {
        snprintf(url, sizeof url, "%s/v1/tasks/%s", o->base, s->job->id);
        curl_easy_setopt(s->easy, CURLOPT_URL, url);
        curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, poll_headers);
        return;
    }
    fetch_open(s, o);
    curl_easy_setopt(s->easy, CURLOPT_BUFFERSIZE, (long)o->buffer);
    curl_easy_setopt(s->easy, CURLOPT_URL, s->job->url);
    curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, fetch_headers);
}

bool answer_id(struct slot *s)
{
    char *p = strstr(s->answer, "\"id\":\"");

    if (!p || strlen(p) < 6 + 37 || p[6 + 36] != '"')
        return false;
    memcpy(s->job->id, p + 6, 36);
    s->job->id[36] = '\0';
    return true;
}

int answer_task(struct slot *s)
{
    static const char output[] = "\"output\":[\"";

    if (!strstr(s->answer, "\"status\":\"SUCCEEDED\""))
        return strstr(s->answer, "\"status\":\"") ? 0 : -1;
    char *p = strstr(s->answer, output);
    char *end = p ? strchr(p + sizeof output - 1, '"') : NULL;
    if (!end)
        return -1;
    p += sizeof output - 1;
    s->job->url = must(strndup(p, (size_t)(end - p)));
    return 1;
}
