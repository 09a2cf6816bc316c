/* server_http.c - HTTP/1.1 framing: heads in, heads out, ranges. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "server.h"

bool text_is(struct text t, const char *word)
{
    return t.len == strlen(word) && !strncasecmp(t.at, word, t.len);
}

bool text_starts(struct text t, const char *word)
{
    size_t n = strlen(word);
    return t.len >= n && !strncasecmp(t.at, word, n);
}

/* A whole decimal number of at most 18 digits, or -1. */
static int64_t text_number(struct text t)
{
    int64_t n = 0;

    if (t.len == 0 || t.len > 18)
        return -1;
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] < '0' || t.at[i] > '9')
            return -1;
        n = n * 10 + (t.at[i] - '0');
    }
    return n;
}

/* Keep what the server looks at; false if the value is nonsense. */
static bool header_take(struct request *r, struct text name, struct text value)
{
    if (text_is(name, "host")) {
        r->host = value;
    } else if (text_is(name, "content-length")) {
        int64_t n = text_number(value);
        if (n < 0)
            return false;
        r->body_len = (uint64_t)n;
    } else if (text_is(name, "authorization")) {
        r->auth = text_starts(value, "Bearer ") && value.len > 7;
    } else if (text_is(name, "x-runway-version")) {
        r->version = text_is(value, "2024-11-06");
    } else if (text_is(name, "range")) {
        r->range = value;
    } else if (text_is(name, "if-range")) {
        r->if_range = value;
    } else if (text_is(name, "connection")) {
        r->close = text_is(value, "close");
    } else if (text_is(name, "expect")) {
        r->expect = text_is(value, "100-continue");
    } else if (text_is(name, "transfer-encoding")) {
        r->chunked = true;
    } else if (text_is(name, "x-forwarded-proto")) {
        r->https = text_is(value, "https");
    }
    return true;
}

/* One line without its CRLF, from *p on; moves *p behind the CRLF. */
static struct text line_next(const char **p, const char *end)
{
    const char *lf = memchr(*p, '\n', (size_t)(end - *p));
    struct text line = {*p, lf ? (size_t)(lf - *p) : 0};

    *p = lf ? lf + 1 : end;
    if (line.len && line.at[line.len - 1] == '\r')
        line.len--;
    return line;
}

static bool request_line(struct request *r, struct text line)
{
    const char *end = line.at + line.len;
    const char *sp = memchr(line.at, ' ', line.len);
    if (!sp || sp == line.at)
        return false;
    const char *sp2 = memchr(sp + 1, ' ', (size_t)(end - sp - 1));
    if (!sp2 || sp[1] != '/')
        return false;
    r->method = (struct text){line.at, (size_t)(sp - line.at)};
    r->path = (struct text){sp + 1, (size_t)(sp2 - sp - 1)};
    struct text version = {sp2 + 1, (size_t)(end - sp2 - 1)};
    r->close = text_is(version, "HTTP/1.0");
    return r->close || text_is(version, "HTTP/1.1");
}

static bool header_line(struct request *r, struct text line)
{
    const char *colon = memchr(line.at, ':', line.len);
    if (!colon || colon == line.at)
        return false;
    struct text name = {line.at, (size_t)(colon - line.at)};
    const char *v = colon + 1, *end = line.at + line.len;
    while (v < end && (*v == ' ' || *v == '\t'))
        v++;
    while (end > v && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return header_take(r, name, (struct text){v, (size_t)(end - v)});
}

int request_parse(const char *buf, size_t len, struct request *r)
{
    const char *stop = memmem(buf, len, "\r\n\r\n", 4);
    if (!stop)
        return 0;
    *r = (struct request){.head_len = (size_t)(stop - buf) + 4};
    const char *p = buf, *end = stop + 2;
    if (!request_line(r, line_next(&p, end)))
        return -1;
    while (p < end)
        if (!header_line(r, line_next(&p, end)))
            return -1;
    return 1;
}

/* "bytes=a-b", "bytes=a-" or "bytes=-n"; false: ignore the header. */
static bool range_read(struct text t, uint64_t size, struct reply *reply)
{
    if (!text_starts(t, "bytes="))
        return false;
    const char *p = t.at + 6, *end = t.at + t.len;
    const char *dash = memchr(p, '-', (size_t)(end - p));
    if (!dash || memchr(p, ',', (size_t)(end - p)))
        return false;
    struct text a = {p, (size_t)(dash - p)};
    struct text b = {dash + 1, (size_t)(end - dash - 1)};
    int64_t from = text_number(a), to = text_number(b);
    if ((a.len && from < 0) || (b.len && to < 0) || (!a.len && !b.len))
        return false;
    if (!a.len) { /* the last n bytes */
        uint64_t n = (uint64_t)to < size ? (uint64_t)to : size;
        reply->from = size - n;
        reply->to = size;
        return true;
    }
    reply->from = (uint64_t)from;
    reply->to = b.len && (uint64_t)to < size ? (uint64_t)to + 1 : size;
    return !b.len || to >= from;
}

void range_apply(const struct request *r, uint64_t size, struct reply *reply)
{
    char etag[40];
    struct reply part = *reply;

    snprintf(etag, sizeof etag, "\"out-%" PRIu64 "\"", size);
    reply->from = 0;
    reply->to = size;
    if (!r->range.len || (r->if_range.len && !text_is(r->if_range, etag)))
        return;
    if (!range_read(r->range, size, &part))
        return;
    reply->status = part.from < part.to && part.from < size ? 206 : 416;
    reply->from = reply->status == 206 ? part.from : 0;
    reply->to = reply->status == 206 ? part.to : 0;
}

static const char *reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 204:
        return "No Content";
    case 206:
        return "Partial Content";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 411:
        return "Length Required";
    case 413:
        return "Content Too Large";
    case 416:
        return "Range Not Satisfiable";
    default:
        return "Status";
    }
}

/* The Date header, formatted once per second. */
static const char *date_now(struct server *s)
{
    int64_t now =
        (s->wall_ms + (int64_t)(uv_now(&s->loop) - s->start_ms)) / 1000;
    if (now != s->date_s) {
        time_t t = (time_t)now;
        struct tm tm;
        gmtime_r(&t, &tm);
        strftime(s->date, sizeof s->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        s->date_s = now;
    }
    return s->date;
}

static size_t head_blob(struct server *s, const struct reply *r, char *out,
                        size_t cap)
{
    uint64_t size = s->opt.size;
    char range[96] = "";

    if (r->status == 206)
        snprintf(range, sizeof range,
                 "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n",
                 r->from, r->to - 1, size);
    else if (r->status == 416)
        snprintf(range, sizeof range, "Content-Range: bytes */%" PRIu64 "\r\n",
                 size);
    int n = snprintf(
        out, cap,
        "HTTP/1.1 %d %s\r\nContent-Type: video/mp4\r\n"
        "Content-Length: %" PRIu64 "\r\n%sETag: \"out-%" PRIu64 "\"\r\n"
        "Date: %s\r\nAccept-Ranges: bytes\r\nServer: bench\r\n"
        "Last-Modified: Tue, 01 Sep 2026 00:00:00 GMT\r\n"
        "X-Cache: Miss from cloudfront\r\nConnection: %s\r\n\r\n",
        r->status, reason(r->status), r->to - r->from, range, size, date_now(s),
        r->then == THEN_KEEP ? "keep-alive" : "close");
    return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}

size_t head_write(struct server *s, const struct reply *r, char *out,
                  size_t cap)
{
    const char *stay = r->then == THEN_KEEP ? "keep-alive" : "close";
    char length[40] = ""; /* a 204 must not have one */

    if (r->blob)
        return head_blob(s, r, out, cap);
    if (r->status != 204)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", r->body_len);
    /* As many headers as the API was seen to send: parsing them is part of
     * what a client pays for an answer. */
    int n = snprintf(
        out, cap,
        "HTTP/1.1 %d %s\r\nDate: %s\r\n"
        "Content-Type: application/json; charset=utf-8\r\n"
        "%sConnection: %s\r\n"
        "apigw-requestid: bench%09" PRIu64 "=\r\nx-powered-by: Express\r\n"
        "etag: W/\"%zx-bench\"\r\nvary: Origin\r\n"
        "x-content-type-options: nosniff\r\nx-frame-options: SAMEORIGIN\r\n"
        "strict-transport-security: max-age=15552000\r\n\r\n",
        r->status, reason(r->status), date_now(s), length, stay,
        s->stats.posts + s->stats.polls, r->body_len);
    return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}
