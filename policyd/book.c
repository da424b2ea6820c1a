/* SPDX-License-Identifier: MIT */
/*
 * The file: a header, a ring of charged messages, then counters, in the machine's own form; it never leaves the machine. All that
 * may ever be used is mapped, and the file grows below it: what is touched has its space already, as a
 * store that finds none would be a SIGBUS.
 */
#include "policyd/book.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/error.h"

#define MAGIC       "outlimit"
#define LAYOUT      1
#define HEADER_SIZE 4096
#define FIXED_SIZE  (HEADER_SIZE + BOOK_CHARGED_MAX * sizeof(guint64)) /* before the counters */
#define MAPPED_SIZE (FIXED_SIZE + BOOK_MAX * sizeof(BookCounter))
#define GROW        256                   /* counters */
#define BEGINNING   (2 * G_TIME_SPAN_DAY) /* other nodes have counted before */
#define BOOT_ID     "/proc/sys/kernel/random/boot_id"
#define BOOT_LENGTH 36

typedef struct {
    char magic[sizeof(MAGIC) - 1];
    guint32 layout;
    guint32 counter_size;
    char boot[BOOT_LENGTH + 4];
    gint64 base;   /* book's time less CLOCK_BOOTTIME */
    gint64 last;   /* book's time at the last book_sync */
    gint64 wall;   /* and the wall clock's */
    guint64 noted; /* messages so far */
} Header;

struct Book {
    int fd;
    Header *header;
    guint64 *charged;       /* ring */
    GHashTable *in_charged; /* set of the same */
    BookCounter *counters;
    guint used;        /* counters that have space in the file */
    guint next;        /* where to look for a free one */
    GHashTable *index; /* limit -> position + 1 */
};

static gint64 boot_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

gint64 book_now(const Book *book)
{
    return book->header->base + boot_clock();
}

void book_sync(Book *book)
{
    book->header->last = book_now(book);
    book->header->wall = g_get_real_time();
    msync(book->header, FIXED_SIZE + book->used * sizeof(BookCounter), MS_ASYNC);
}

void book_close(Book *book)
{
    if (!book)
        return;
    if (book->header) {
        book_sync(book);
        munmap(book->header, MAPPED_SIZE);
    }
    if (book->fd >= 0)
        close(book->fd);
    g_clear_pointer(&book->index, g_hash_table_unref);
    g_clear_pointer(&book->in_charged, g_hash_table_unref);
    g_free(book);
}

/* FALSE: the file is not one of ours. */
static gboolean is_sound(const Header *header, off_t size)
{
    return memcmp(header->magic, MAGIC, sizeof header->magic) == 0 && header->layout == LAYOUT &&
           header->counter_size == sizeof(BookCounter) && header->last >= 0 &&
           size >= (off_t)FIXED_SIZE; /* a disk that was full may have left part of a counter */
}

/* After a reboot the book's time goes on with what the wall clock says has passed; never back. */
static void set_time(Header *header)
{
    g_autofree char *text = NULL;
    char boot[sizeof header->boot] = "";

    if (g_file_get_contents(BOOT_ID, &text, NULL, NULL))
        g_strlcpy(boot, text, BOOT_LENGTH + 1);
    if (*boot && memcmp(boot, header->boot, sizeof boot) == 0)
        return;
    gint64 passed = MAX(g_get_real_time() - header->wall, 0);
    header->base = header->last + passed - boot_clock();
    memcpy(header->boot, boot, sizeof boot);
}

static gboolean allocate(Book *book, guint counters)
{
    off_t size = (off_t)FIXED_SIZE + (off_t)counters * (off_t)sizeof(BookCounter);
    int failure = posix_fallocate(book->fd, 0, size);

    if (failure == 0)
        book->used = counters;
    errno = failure;
    return failure == 0;
}

static gboolean lock(Book *book, const char *path, GError **error)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    book->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (book->fd < 0)
        return error_set_errno(error, errno, "open", path);
    if (fcntl(book->fd, F_OFD_SETLK, &whole) == 0)
        return TRUE;
    g_set_error(error, OUTRIDER_ERROR, OUTRIDER_ERROR_CONFLICT, "%s: another process has it", path);
    return FALSE;
}

/* Opens and maps; *sound says whether what stands there can be used. */
static gboolean map(Book *book, const char *path, gboolean *sound, GError **error)
{
    struct stat st;

    if (!lock(book, path, error))
        return FALSE;
    if (fstat(book->fd, &st) < 0)
        return error_set_errno(error, errno, "stat", path);
    gboolean fresh = st.st_size == 0;
    if (st.st_size < (off_t)FIXED_SIZE && !allocate(book, 0))
        return error_set_errno(error, errno, "extend", path);
    void *memory = mmap(NULL, MAPPED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, book->fd, 0);
    if (memory == MAP_FAILED)
        return error_set_errno(error, errno, "map", path);
    book->header = memory;
    book->charged = (guint64 *)(gpointer)((char *)memory + HEADER_SIZE);
    book->counters = (BookCounter *)(gpointer)((char *)memory + FIXED_SIZE);
    if (fresh)
        *book->header = (Header){.magic = MAGIC,
                                 .layout = LAYOUT,
                                 .counter_size = sizeof(BookCounter),
                                 .last = BEGINNING,
                                 .wall = G_MAXINT64};
    *sound = fresh || is_sound(book->header, st.st_size);
    if (*sound && !fresh)
        book->used =
            (guint)MIN((st.st_size - (off_t)FIXED_SIZE) / (off_t)sizeof(BookCounter), BOOK_MAX);
    return TRUE;
}

static gpointer key_of(guint64 message)
{
    G_STATIC_ASSERT(sizeof(gpointer) == sizeof message);
    return GSIZE_TO_POINTER(message);
}

static void read_index(Book *book)
{
    for (guint i = 0; i < MIN(book->header->noted, BOOK_CHARGED_MAX); i++)
        g_hash_table_add(book->in_charged, key_of(book->charged[i]));
    for (guint i = 0; i < book->used; i++)
        if (book->counters[i].limit != 0)
            g_hash_table_insert(book->index, GUINT_TO_POINTER(book->counters[i].limit),
                                GUINT_TO_POINTER(i + 1));
}

static Book *open_one(const char *path, gboolean *sound, GError **error)
{
    g_autoptr(Book) book = g_new0(Book, 1);

    book->fd = -1;
    book->index = g_hash_table_new(NULL, NULL);
    book->in_charged = g_hash_table_new(NULL, NULL);
    return map(book, path, sound, error) ? g_steal_pointer(&book) : NULL;
}

/* Closes without writing. */
static void drop(Book *book)
{
    munmap(book->header, MAPPED_SIZE);
    book->header = NULL;
    book_close(book);
}

Book *book_open(const char *path, GError **error)
{
    gboolean sound = FALSE;
    Book *book = open_one(path, &sound, error);

    if (book && !sound) {
        g_autofree char *aside = g_strconcat(path, ".broken", NULL);
        drop(book);
        if (rename(path, aside) < 0) {
            error_set_errno(error, errno, "put aside", path);
            return NULL;
        }
        book = open_one(path, &sound, error);
    }
    if (!book)
        return NULL;
    g_assert(book->header);
    set_time(book->header);
    read_index(book);
    return book;
}

/* A counter that nobody has; NULL when the file cannot grow. */
static BookCounter *find_free(Book *book)
{
    while (book->next < book->used && book->counters[book->next].limit != 0)
        book->next++;
    if (book->next == book->used &&
        (book->used >= BOOK_MAX || !allocate(book, MIN(book->used + GROW, BOOK_MAX))))
        return NULL;
    return &book->counters[book->next];
}

BookCounter *book_counter(Book *book, guint32 limit)
{
    guint position = GPOINTER_TO_UINT(g_hash_table_lookup(book->index, GUINT_TO_POINTER(limit)));

    if (position > 0)
        return &book->counters[position - 1];
    BookCounter *counter = find_free(book);
    if (!counter)
        return NULL;
    *counter = (BookCounter){.limit = limit};
    g_hash_table_insert(book->index, GUINT_TO_POINTER(limit), GUINT_TO_POINTER(book->next + 1));
    return counter;
}

void book_keep(Book *book, gboolean (*keep)(guint32 limit, gpointer data), gpointer data)
{
    for (guint i = 0; i < book->used; i++) {
        guint32 limit = book->counters[i].limit;
        if (limit == 0 || keep(limit, data))
            continue;
        g_hash_table_remove(book->index, GUINT_TO_POINTER(limit));
        book->counters[i] = (BookCounter){0};
        book->next = MIN(book->next, i);
    }
}

void book_each(const Book *book, void (*func)(const BookCounter *counter, gpointer data),
               gpointer data)
{
    for (guint i = 0; i < book->used; i++)
        if (book->counters[i].limit != 0)
            func(&book->counters[i], data);
}

gboolean book_is_charged(const Book *book, guint64 message)
{
    return g_hash_table_contains(book->in_charged, key_of(message));
}

void book_note_charged(Book *book, guint64 message)
{
    guint64 *place = &book->charged[book->header->noted % BOOK_CHARGED_MAX];

    if (!g_hash_table_add(book->in_charged, key_of(message)))
        return;
    if (book->header->noted >= BOOK_CHARGED_MAX)
        g_hash_table_remove(book->in_charged, key_of(*place));
    *place = message;
    book->header->noted++;
}
