/* SPDX-License-Identifier: MIT */
/* Forms and queries, parted by the first NUL: what comes out is an object within the bounds. */
#include <glib.h>
#include <string.h>

#include "api/v1_request.h"
#include "tests/fuzz/fuzz.h"

unsigned fuzz_reached;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *cut = memchr(data, '\0', size);
    gsize body = cut ? (gsize)(cut - data) : size;
    g_autofree char *query = cut ? g_strndup((const char *)cut + 1, size - body - 1) : NULL;
    const V1Input input = {"application/x-www-form-urlencoded", query, (const char *)data, body};
    json_object *object = v1_request_parameters(&input, NULL);

    if (object && json_object_get_type(object) != json_type_object)
        g_error("no object");
    fuzz_reached += object && json_object_object_length(object) > 0;
    json_object_put(object);
    return 0;
}
