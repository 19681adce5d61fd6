/*
 * SecLang's transformations, one row each: TRANSFORM(IDENTIFIER, "name", function, growth, triggers). Rows of second
 * names follow: TRANSFORM_ALIAS(IDENTIFIER, "name"). Included where TRANSFORM, and TRANSFORM_ALIAS if wanted, are
 * defined; both are undefined at the end. `growth` bounds the output's length by the input's; see transform.c. A value
 * without any byte of the kinds in `triggers` (codec/byte_kind.h) comes out as it went in.
 *
 * Semantics are those of ModSecurity v3 (Reference Manual, "Transformation functions"), except where docs/parity.md
 * lists a difference. tests: transform_cases.txt; each row must have at least three there.
 */
#ifndef TRANSFORM_ALIAS
#define TRANSFORM_ALIAS(identifier, name)
#endif

/* clang-format off */
TRANSFORM(NONE,                 "none",               transform_none,                 GROWTH_NONE,     0)
TRANSFORM(BASE64_DECODE,        "base64Decode",       transform_base64_decode,        GROWTH_THREE_QUARTERS, BYTES_ANY)
TRANSFORM(BASE64_DECODE_EXT,    "base64DecodeExt",    transform_base64_decode_ext,    GROWTH_THREE_QUARTERS, BYTES_ANY)
TRANSFORM(BASE64_ENCODE,        "base64Encode",       transform_base64_encode,        GROWTH_BASE64,   BYTES_ANY)
TRANSFORM(CMD_LINE,             "cmdLine",            transform_cmd_line,             GROWTH_NONE,     BYTES_UPPER | BYTES_SPACE | BYTES_BACKSLASH | BYTES_SHELL)
TRANSFORM(COMPRESS_WHITESPACE,  "compressWhitespace", transform_compress_whitespace,  GROWTH_NONE,     BYTES_SPACE | BYTES_HIGH)
TRANSFORM(CSS_DECODE,           "cssDecode",          transform_css_decode,           GROWTH_NONE,     BYTES_BACKSLASH | BYTES_NUL)
TRANSFORM(ESCAPE_SEQ_DECODE,    "escapeSeqDecode",    transform_escape_seq_decode,    GROWTH_NONE,     BYTES_BACKSLASH)
TRANSFORM(HEX_DECODE,           "hexDecode",          transform_hex_decode,           GROWTH_HALF,     BYTES_ANY)
TRANSFORM(HEX_ENCODE,           "hexEncode",          transform_hex_encode,           GROWTH_DOUBLE,   BYTES_ANY)
TRANSFORM(HTML_ENTITY_DECODE,   "htmlEntityDecode",   transform_html_entity_decode,   GROWTH_NONE,     BYTES_AMPERSAND)
TRANSFORM(JS_DECODE,            "jsDecode",           transform_js_decode,            GROWTH_NONE,     BYTES_BACKSLASH)
TRANSFORM(LENGTH,               "length",             transform_length,               GROWTH_NUMBER,   BYTES_ANY)
TRANSFORM(LOWERCASE,            "lowercase",          transform_lowercase,            GROWTH_NONE,     BYTES_UPPER)
TRANSFORM(MD5,                  "md5",                transform_md5,                  GROWTH_MD5,      BYTES_ANY)
TRANSFORM(NORMALISE_PATH,       "normalisePath",      transform_normalise_path,       GROWTH_NONE,     BYTES_PATH)
TRANSFORM(NORMALISE_PATH_WIN,   "normalisePathWin",   transform_normalise_path_win,   GROWTH_NONE,     BYTES_PATH | BYTES_BACKSLASH)
TRANSFORM(PARITY_EVEN_7BIT,     "parityEven7bit",     transform_parity_even_7bit,     GROWTH_NONE,     BYTES_ANY)
TRANSFORM(PARITY_ODD_7BIT,      "parityOdd7bit",      transform_parity_odd_7bit,      GROWTH_NONE,     BYTES_ANY)
TRANSFORM(PARITY_ZERO_7BIT,     "parityZero7bit",     transform_parity_zero_7bit,     GROWTH_NONE,     BYTES_HIGH)
TRANSFORM(REMOVE_COMMENTS,      "removeComments",     transform_remove_comments,      GROWTH_NONE,     BYTES_COMMENT)
TRANSFORM(REMOVE_COMMENTS_CHAR, "removeCommentsChar", transform_remove_comments_char, GROWTH_NONE,     BYTES_COMMENT)
TRANSFORM(REMOVE_NULLS,         "removeNulls",        transform_remove_nulls,         GROWTH_NONE,     BYTES_NUL)
TRANSFORM(REMOVE_WHITESPACE,    "removeWhitespace",   transform_remove_whitespace,    GROWTH_NONE,     BYTES_SPACE | BYTES_HIGH)
TRANSFORM(REPLACE_COMMENTS,     "replaceComments",    transform_replace_comments,     GROWTH_NONE,     BYTES_COMMENT)
TRANSFORM(REPLACE_NULLS,        "replaceNulls",       transform_replace_nulls,        GROWTH_NONE,     BYTES_NUL)
TRANSFORM(SHA1,                 "sha1",               transform_sha1,                 GROWTH_SHA1,     BYTES_ANY)
TRANSFORM(SQL_HEX_DECODE,       "sqlHexDecode",       transform_sql_hex_decode,       GROWTH_NONE,     BYTES_ANY)
TRANSFORM(TRIM,                 "trim",               transform_trim,                 GROWTH_NONE,     BYTES_SPACE | BYTES_HIGH)
TRANSFORM(TRIM_LEFT,            "trimLeft",           transform_trim_left,            GROWTH_NONE,     BYTES_SPACE | BYTES_HIGH)
TRANSFORM(TRIM_RIGHT,           "trimRight",          transform_trim_right,           GROWTH_NONE,     BYTES_SPACE | BYTES_HIGH)
TRANSFORM(UPPERCASE,            "uppercase",          transform_uppercase,            GROWTH_NONE,     BYTES_LOWER)
TRANSFORM(URL_DECODE,           "urlDecode",          transform_url_decode,           GROWTH_NONE,     BYTES_URL)
TRANSFORM(URL_DECODE_UNI,       "urlDecodeUni",       transform_url_decode_uni,       GROWTH_NONE,     BYTES_URL)
TRANSFORM(URL_ENCODE,           "urlEncode",          transform_url_encode,           GROWTH_TRIPLE,   BYTES_ANY)
TRANSFORM(UTF8_TO_UNICODE,      "utf8toUnicode",      transform_utf8_to_unicode,      GROWTH_FOURFOLD, BYTES_HIGH | BYTES_NUL)

TRANSFORM_ALIAS(NORMALISE_PATH,     "normalizePath")
TRANSFORM_ALIAS(NORMALISE_PATH_WIN, "normalizePathWin")
/* clang-format on */

#undef TRANSFORM
#undef TRANSFORM_ALIAS
