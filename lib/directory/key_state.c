/* SPDX-License-Identifier: MIT */
#include "lib/directory/key_state.h"

#define DAY_SECONDS (24 * 60 * 60)

static const char *const words[] = {
#define X(NAME, word) [KEY_STATE_##NAME] = (word),
#include "lib/directory/key_state.def"
#undef X
};

KeyState key_state_next(KeyState state, KeyEvent event)
{
    static const KeyState next[KEY_STATE_COUNT][KEY_EVENT_COUNT] = {
        [KEY_STATE_NEW] = {[KEY_SHOWN] = KEY_STATE_ACTIVE,
                           [KEY_VANISHED] = KEY_STATE_NEW,
                           [KEY_REPLACED] = KEY_STATE_GONE,
                           [KEY_WITHDRAWN] = KEY_STATE_GONE,
                           [KEY_KEPT] = KEY_STATE_NEW},
        [KEY_STATE_ACTIVE] = {[KEY_SHOWN] = KEY_STATE_ACTIVE,
                              [KEY_VANISHED] = KEY_STATE_LOST,
                              [KEY_REPLACED] = KEY_STATE_RETIRED,
                              [KEY_WITHDRAWN] = KEY_STATE_RETIRED,
                              [KEY_KEPT] = KEY_STATE_ACTIVE},
        [KEY_STATE_LOST] = {[KEY_SHOWN] = KEY_STATE_ACTIVE,
                            [KEY_VANISHED] = KEY_STATE_LOST,
                            [KEY_REPLACED] = KEY_STATE_RETIRED,
                            [KEY_WITHDRAWN] = KEY_STATE_RETIRED,
                            [KEY_KEPT] = KEY_STATE_LOST},
        [KEY_STATE_RETIRED] = {[KEY_SHOWN] = KEY_STATE_RETIRED,
                               [KEY_VANISHED] = KEY_STATE_RETIRED,
                               [KEY_REPLACED] = KEY_STATE_RETIRED,
                               [KEY_WITHDRAWN] = KEY_STATE_RETIRED,
                               [KEY_KEPT] = KEY_STATE_GONE},
        [KEY_STATE_GONE] = {[KEY_SHOWN] = KEY_STATE_GONE,
                            [KEY_VANISHED] = KEY_STATE_GONE,
                            [KEY_REPLACED] = KEY_STATE_GONE,
                            [KEY_WITHDRAWN] = KEY_STATE_GONE,
                            [KEY_KEPT] = KEY_STATE_GONE},
    };

    g_assert(state < KEY_STATE_COUNT && event < KEY_EVENT_COUNT);
    return next[state][event];
}

const char *key_state_word(KeyState state)
{
    return words[state];
}

KeyState key_state_read(const char *word)
{
    guint state = 0;

    while (state < KEY_STATE_COUNT && g_strcmp0(words[state], word) != 0)
        state++;
    return (KeyState)state;
}

gboolean key_state_is_lost(gint64 since, gint64 looks, gint64 now, gint64 after)
{
    return since > 0 && looks >= KEY_LOST_LOOKS && now - since >= after;
}

gint64 key_state_keep(gint64 lifetime_ms, gint64 hold_days)
{
    return lifetime_ms / 1000 + (hold_days + 1) * DAY_SECONDS;
}
