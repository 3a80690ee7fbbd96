#include "proto/message_code.h"

void flux_message_put_value(struct flux_wire_writer *writer, const struct flux_value *value)
{
    switch (value->type) {
    case FLUX_VALUE_BOOL:
        flux_wire_put_u8(writer, value->boolean ? 1 : 0);
        return;
    case FLUX_VALUE_INT64:
        flux_wire_put_i64(writer, value->int64);
        return;
    case FLUX_VALUE_DOUBLE:
        flux_wire_put_double(writer, value->real);
        return;
    case FLUX_VALUE_STRING:
    case FLUX_VALUE_ARRAY:
        flux_wire_put_text32(writer, (struct flux_text){.text = value->text, .size = value->size});
        return;
    case FLUX_VALUE_NONE:
    case FLUX_VALUE_EMPTY_OBJECT:
        return;
    }
}

bool flux_message_get_value(struct flux_wire_reader *reader, uint8_t type,
                            struct flux_value *ret_value)
{
    struct flux_text text;
    switch (type) {
    case FLUX_VALUE_BOOL: {
        uint8_t boolean = flux_wire_get_u8(reader);
        *ret_value = flux_value_bool(boolean != 0);
        return boolean <= 1;
    }
    case FLUX_VALUE_INT64:
        *ret_value = flux_value_int64(flux_wire_get_i64(reader));
        return true;
    case FLUX_VALUE_DOUBLE:
        *ret_value = flux_value_double(flux_wire_get_double(reader));
        return true;
    case FLUX_VALUE_STRING:
        text = flux_wire_get_text32(reader);
        *ret_value = flux_value_string(text.text, text.size);
        return true;
    case FLUX_VALUE_ARRAY:
        text = flux_wire_get_text32(reader);
        *ret_value = flux_value_array(text.text, text.size);
        return true;
    case FLUX_VALUE_EMPTY_OBJECT:
        *ret_value = flux_value_empty_object();
        return true;
    default:
        return false;
    }
}
