/* refs_rules.c - owns the sentences about what cannot be a reference. */
#include "refs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

__attribute__((format(printf, 3, 4))) static int refuse(int status, char **why,
                                                        const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(why, fmt, ap) < 0)
        *why = NULL;
    va_end(ap);
    return status;
}

/* ---- files ---- */

static int refuse_errno(int e, const char *path, char **why)
{
    switch (e) {
    case ENOENT:
    case ENOTDIR:
        return refuse(-ENOENT, why,
                      "there is no file \"%s\"; check the name and the folder",
                      path);
    case EACCES:
    case EPERM:
        return refuse(-e, why, "\"%s\" may not be read; check its mode", path);
    default:
        return refuse(-e, why, "cannot read \"%s\": %s", path, strerror(e));
    }
}

static const char *const accepted[] = {
    "image/png",  "image/jpeg",       "image/webp", "video/mp4",
    "video/webm", "video/quicktime",  "video/3gpp", "video/ogg",
    "audio/mpeg", "video/x-matroska", "audio/wav",  "audio/flac",
    "audio/mp4",  "audio/aac",
};

static int is_accepted(const char *type)
{
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
        if (!strcmp(accepted[i], type))
            return 1;
    return 0;
}

static const char *noun(enum image_kind kind)
{
    static const char *const nouns[] = {"picture", "video", "sound", "file"};
    return nouns[kind];
}

static const char *formats(const struct refs_rules *rules, enum image_kind kind)
{
    if (!rules->any_media || kind == IMAGE_PICTURE)
        return "PNG, JPEG or WebP";
    if (kind == IMAGE_VIDEO)
        return "MP4, MOV, WebM, MKV, 3GP or OGV";
    if (kind == IMAGE_AUDIO)
        return "MP3, WAV, FLAC, M4A or AAC";
    return "a picture (PNG, JPEG, WebP), a video (MP4, MOV, WebM, MKV) or "
           "a sound (MP3, WAV, FLAC, M4A)";
}

static int check_type(const char *path, const struct refs_rules *rules,
                      int probed, const struct image_info *info, char **why)
{
    if (probed == IMAGE_UNKNOWN)
        return refuse(-EINVAL, why,
                      "\"%s\" is not %s: by its content it must be %s", path,
                      rules->any_media ? "a picture, a video or a sound"
                                       : "a picture",
                      formats(rules, IMAGE_OTHER));
    if (info->kind != IMAGE_PICTURE && !rules->any_media)
        return refuse(-EINVAL, why,
                      "\"%s\" is a %s %s, but a %s needs a picture: %s", path,
                      info->name, noun(info->kind), rules->kind,
                      formats(rules, IMAGE_PICTURE));
    if (!is_accepted(info->type))
        return refuse(-ENOTSUP, why,
                      "\"%s\" is a %s %s, which is not accepted; convert it to "
                      "%s",
                      path, info->name, noun(info->kind),
                      formats(rules, info->kind));
    if (probed == IMAGE_DAMAGED)
        return refuse(-EINVAL, why,
                      "\"%s\" begins as a %s picture but is cut off or damaged",
                      path, info->name);
    return 0;
}

static int check_ratio(const char *path, const struct refs_rules *rules,
                       const struct image_info *info, char **why)
{
    if (info->kind != IMAGE_PICTURE || rules->ratio_max <= 0)
        return 0;
    double ratio = (double)info->width / info->height;
    if (ratio >= rules->ratio_min && ratio <= rules->ratio_max)
        return 0;
    return refuse(-EINVAL, why,
                  "\"%s\" is too %s: %u x %u pixels is %.3f wide for 1 high, "
                  "and %g to %g is accepted; crop it, or pass another ratio = "
                  "{min, max} for a model that takes it",
                  path, ratio > rules->ratio_max ? "wide" : "tall", info->width,
                  info->height, ratio, rules->ratio_min, rules->ratio_max);
}

/* What is worth a word but may well work. */
static char *warning(const char *path, const struct image_info *info)
{
    char *text = NULL;
    if (info->kind != IMAGE_PICTURE)
        return NULL;
    uint32_t large = info->width > info->height ? info->width : info->height;
    uint32_t small = info->width < info->height ? info->width : info->height;
    if (large > REFS_SIDE_MAX)
        refuse(0, &text,
               "\"%s\" is %u x %u pixels; sides of more than %d pixels are "
               "probably refused (unconfirmed)",
               path, info->width, info->height, REFS_SIDE_MAX);
    else if (small < REFS_SIDE_GOOD)
        refuse(0, &text,
               "\"%s\" is only %u x %u pixels; at least %d x %d is recommended "
               "for a reference",
               path, info->width, info->height, REFS_SIDE_GOOD, REFS_SIDE_GOOD);
    return text;
}

static int check_stat(const char *path, int fd, struct refs_file *file,
                      char **why)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return refuse_errno(errno, path, why);
    if (S_ISDIR(st.st_mode))
        return refuse(-EINVAL, why, "\"%s\" is a folder, not a file", path);
    if (!S_ISREG(st.st_mode))
        return refuse(-EINVAL, why, "\"%s\" is not an ordinary file", path);
    if (st.st_size == 0)
        return refuse(-EINVAL, why, "\"%s\" is empty", path);
    if ((uint64_t)st.st_size > REFS_UPLOAD_MAX)
        return refuse(-EFBIG, why,
                      "\"%s\" has %.1f MB, and nothing larger than %u MB can "
                      "be uploaded; make it smaller",
                      path, (double)st.st_size / (1 << 20),
                      REFS_UPLOAD_MAX >> 20);
    file->bytes = (uint64_t)st.st_size;
    file->mtime = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
    return 0;
}

static int measure_fd(const char *path, int fd, const struct refs_rules *rules,
                      const atomic_int *stop, struct refs_file *file,
                      char **why)
{
    int status = check_stat(path, fd, file, why);
    if (status < 0)
        return status;
    int probed = image_probe_fd(fd, &file->info);
    if (probed < 0)
        return refuse_errno(-probed, path, why);
    status = check_type(path, rules, probed, &file->info, why);
    if (status == 0)
        status = check_ratio(path, rules, &file->info, why);
    if (status < 0)
        return status;
    uint64_t bytes;
    status = hash_fd(fd, stop, file->hash, &bytes);
    if (status < 0)
        return refuse_errno(-status, path, why);
    if (bytes != file->bytes)
        return refuse(-EBUSY, why,
                      "\"%s\" is being written to; register it when it is done",
                      path);
    file->warning = warning(path, &file->info);
    return 0;
}

int refs_measure(const char *path, const struct refs_rules *rules,
                 const atomic_int *stop, struct refs_file *file, char **why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* no FIFO waits */
    if (fd < 0)
        return refuse_errno(errno, path, why);
    int status = measure_fd(path, fd, rules, stop, file, why);
    close(fd);
    return status;
}

int refs_unchanged(const char *path, const struct refs_file *file,
                   const atomic_int *stop, char **why)
{
    struct refs_file now = {.bytes = 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return refuse_errno(errno, path, why);
    int status = check_stat(path, fd, &now, why);
    int same = now.bytes == file->bytes && now.mtime == file->mtime;
    if (status == 0 && !same) {
        uint64_t bytes;
        status = hash_fd(fd, stop, now.hash, &bytes);
        if (status < 0)
            refuse_errno(-status, path, why);
        else if (strcmp(now.hash, file->hash))
            status = refuse(-EINVAL, why,
                            "\"%s\" has changed since it was registered; run "
                            "the script again to register the new version",
                            path);
    }
    close(fd);
    return status;
}

/* ---- tags ---- */

int refs_check_tag(const char *tag, char **why)
{
    size_t n = strlen(tag), good = 0;
    while (isalnum((unsigned char)tag[good]) || tag[good] == '_')
        good++;
    if (good == n && n >= REFS_TAG_MIN && n <= REFS_TAG_MAX &&
        isalpha((unsigned char)tag[0]))
        return 0;
    char suggestion[REFS_TAG_MAX + 1];
    refs_make_tag(tag, suggestion);
    return refuse(-EINVAL, why,
                  "the tag \"%s\" is not allowed: it must have %d to %d "
                  "letters, digits and underscores and begin with a letter, "
                  "for example \"%s\"",
                  tag, REFS_TAG_MIN, REFS_TAG_MAX, suggestion);
}

/* Append what there is room for; returns the new length. */
static size_t append(char *tag, size_t n, const char *text)
{
    while (*text && n < REFS_TAG_MAX)
        tag[n++] = *text++;
    return n;
}

/* Lower case, because the API's published pattern allows no other. */
void refs_make_tag(const char *name, char tag[REFS_TAG_MAX + 1])
{
    size_t n = 0;
    for (; *name && n < REFS_TAG_MAX; name++) {
        unsigned char ch = (unsigned char)*name;
        char lower[2] = {(char)tolower(ch), 0};
        if (ch < 128 && isalnum(ch))
            n = append(tag, n == 0 && isdigit(ch) ? append(tag, 0, "ref_") : n,
                       lower);
        else if (n > 0 && tag[n - 1] != '_')
            n = append(tag, n, "_");
    }
    while (n > 0 && tag[n - 1] == '_')
        n--;
    if (n < REFS_TAG_MIN)
        n = append(tag, n, n ? "_ref" : "ref");
    tag[n] = 0;
}

/* ---- URLs ---- */

static int is_address(const char *host, size_t n)
{
    return n == 0 || host[0] == '[' || strspn(host, "0123456789.") >= n;
}

int refs_check_url(const char *url, char **why)
{
    int shown = (int)strcspn(url, "?#"); /* a query may be a key */
    if (strncasecmp(url, "https://", 8))
        return refuse(-EINVAL, why,
                      "\"%.*s\" is not an https URL; only those are fetched",
                      shown, url);
    if (strlen(url) > REFS_URL_MAX)
        return refuse(-EINVAL, why,
                      "the URL \"%.*s...\" has %zu characters, at most %d are "
                      "accepted",
                      shown < 80 ? shown : 80, url, strlen(url), REFS_URL_MAX);
    for (const char *p = url; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 127)
            return refuse(-EINVAL, why,
                          "the URL \"%.*s\" has a blank or a character that is "
                          "not ASCII; write it as %%XX",
                          shown, url);
    const char *host = url + 8;
    if (memchr(host, '@', strcspn(host, "/?#")))
        return refuse(-EINVAL, why,
                      "a URL of a reference cannot hold a user or password");
    if (is_address(host, strcspn(host, ":/?#")))
        return refuse(-EINVAL, why,
                      "\"%.*s\" names no host; a domain name is needed, an IP "
                      "address is not accepted",
                      shown, url);
    return 0;
}
