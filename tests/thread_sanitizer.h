/* SPDX-License-Identifier: MIT */
/*
 * Purpose: tells the thread sanitizer about GLib's locks, which it does not see: GLib is not built
 *     with it and takes them by futex.
 * Used by: every file of a build made with --with-sanitizer=thread (forced include).
 */
#pragma once

#include <glib.h>
#include <sanitizer/tsan_interface.h>

static inline void tsan_mutex_lock(GMutex *mutex)
{
    g_mutex_lock(mutex);
    __tsan_acquire(mutex);
}

static inline gboolean tsan_mutex_trylock(GMutex *mutex)
{
    gboolean locked = g_mutex_trylock(mutex);
    if (locked)
        __tsan_acquire(mutex);
    return locked;
}

static inline void tsan_mutex_unlock(GMutex *mutex)
{
    __tsan_release(mutex);
    g_mutex_unlock(mutex);
}

static inline GMutexLocker *tsan_mutex_locker_new(GMutex *mutex)
{
    tsan_mutex_lock(mutex);
    return (GMutexLocker *)mutex;
}

static inline void tsan_mutex_locker_free(GMutexLocker *locker)
{
    tsan_mutex_unlock((GMutex *)locker);
}

static inline void tsan_mutex_locker_clear(GMutexLocker **locker)
{
    if (*locker)
        tsan_mutex_locker_free(*locker);
}

static inline void tsan_cond_wait(GCond *cond, GMutex *mutex)
{
    __tsan_release(mutex);
    g_cond_wait(cond, mutex);
    __tsan_acquire(mutex);
}

static inline gboolean tsan_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end)
{
    __tsan_release(mutex);
    gboolean signalled = g_cond_wait_until(cond, mutex, end);
    __tsan_acquire(mutex);
    return signalled;
}

#define TSAN_RW_LOCK(kind)                                                                         \
    static inline void tsan_rw_lock_##kind##_lock(GRWLock *lock)                                   \
    {                                                                                              \
        g_rw_lock_##kind##_lock(lock);                                                             \
        __tsan_acquire(lock);                                                                      \
    }                                                                                              \
    static inline void tsan_rw_lock_##kind##_unlock(GRWLock *lock)                                 \
    {                                                                                              \
        __tsan_release(lock);                                                                      \
        g_rw_lock_##kind##_unlock(lock);                                                           \
    }
TSAN_RW_LOCK(reader)
TSAN_RW_LOCK(writer)

#define g_mutex_lock                      tsan_mutex_lock
#define g_mutex_trylock                   tsan_mutex_trylock
#define g_mutex_unlock                    tsan_mutex_unlock
#define g_mutex_locker_new                tsan_mutex_locker_new
#define g_mutex_locker_free               tsan_mutex_locker_free
#define glib_autoptr_cleanup_GMutexLocker tsan_mutex_locker_clear
#define g_cond_wait                       tsan_cond_wait
#define g_cond_wait_until                 tsan_cond_wait_until
#define g_rw_lock_reader_lock             tsan_rw_lock_reader_lock
#define g_rw_lock_reader_unlock           tsan_rw_lock_reader_unlock
#define g_rw_lock_writer_lock             tsan_rw_lock_writer_lock
#define g_rw_lock_writer_unlock           tsan_rw_lock_writer_unlock
