/* SPDX-License-Identifier: MIT */
/* Bodies in JSON: parameters of both send calls, and the messages that they make: whatever comes in, recipients are addresses and no
 * field has a line end but in a fold. */
#include <glib.h>
#include <string.h>

#include "api/v1_message.h"
#include "api/v1_raw.h"
#include "api/v1_request.h"
#include "lib/mime/field.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

static void check_submission(const Submission *submission, gboolean made)
{
    for (guint i = 0; i < submission->rcpts->len; i++) {
        const char *rcpt = submission->rcpts->pdata[i];
        gboolean plain = !strchr(rcpt, '"');
        if (!strchr(rcpt, '@') || strpbrk(rcpt, "\r\n\x01\x7f") || (plain && strchr(rcpt, '>')))
            g_error("no address: %s", rcpt);
    }
    for (guint i = 0; i < submission->fields->len; i++) {
        const MimeField *field = submission->fields->pdata[i];
        for (const char *p = field->value; *p; p++) {
            if (*p == '\r' && p[1] == '\n' && (p[2] == ' ' || p[2] == '\t'))
                p++;
            else if (*p == '\r' || *p == '\n' || (made && (guchar)*p < ' ' && *p != '\t'))
                g_error("a line end in %s", field->name);
        }
    }
    fuzz_reached++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const V1Input input = {"application/json", NULL, (const char *)data, size};
    const LetterStamp stamp = {"id@rp.test", " from api by h.test with HTTP; now", "now"};
    json_object *parameters = v1_request_parameters(&input, NULL);
    g_autofree char *text = NULL, *raw_text = NULL;
    V1Error first = V1_ERROR_NONE;

    if (!parameters)
        return 0;
    g_autoptr(Letter) message = v1_message_read(parameters, &first, &text);
    g_autoptr(Submission) made =
        message && !first ? letter_compose(message, &stamp, &first, &text) : NULL;
    if (made)
        check_submission(made, TRUE);
    g_autoptr(Submission) raw = v1_raw_read(parameters, &first, &raw_text);
    if (raw)
        check_submission(raw, FALSE);
    json_object_put(parameters);
    return 0;
}
