/*
 * SecLang's transformations, one row each: TRANSFORM(IDENTIFIER, "name", function, growth). Rows of second names
 * follow: TRANSFORM_ALIAS(IDENTIFIER, "name"). Included where TRANSFORM, and TRANSFORM_ALIAS if wanted, are defined;
 * both are undefined at the end. `growth` bounds the output's length by the input's; see transform.c.
 *
 * Semantics are those of ModSecurity v3 (Reference Manual, "Transformation functions"), except where docs/parity.md
 * lists a difference. tests: transform_cases.txt; each row must have at least three there.
 */
#ifndef TRANSFORM_ALIAS
#define TRANSFORM_ALIAS(identifier, name)
#endif

/* clang-format off */
TRANSFORM(NONE,                 "none",               transform_none,                 GROWTH_NONE)
TRANSFORM(BASE64_DECODE,        "base64Decode",       transform_base64_decode,        GROWTH_NONE)
TRANSFORM(BASE64_DECODE_EXT,    "base64DecodeExt",    transform_base64_decode_ext,    GROWTH_NONE)
TRANSFORM(BASE64_ENCODE,        "base64Encode",       transform_base64_encode,        GROWTH_BASE64)
TRANSFORM(CMD_LINE,             "cmdLine",            transform_cmd_line,             GROWTH_NONE)
TRANSFORM(COMPRESS_WHITESPACE,  "compressWhitespace", transform_compress_whitespace,  GROWTH_NONE)
TRANSFORM(CSS_DECODE,           "cssDecode",          transform_css_decode,           GROWTH_NONE)
TRANSFORM(ESCAPE_SEQ_DECODE,    "escapeSeqDecode",    transform_escape_seq_decode,    GROWTH_NONE)
TRANSFORM(HEX_DECODE,           "hexDecode",          transform_hex_decode,           GROWTH_NONE)
TRANSFORM(HEX_ENCODE,           "hexEncode",          transform_hex_encode,           GROWTH_DOUBLE)
TRANSFORM(HTML_ENTITY_DECODE,   "htmlEntityDecode",   transform_html_entity_decode,   GROWTH_NONE)
TRANSFORM(JS_DECODE,            "jsDecode",           transform_js_decode,            GROWTH_NONE)
TRANSFORM(LENGTH,               "length",             transform_length,               GROWTH_NUMBER)
TRANSFORM(LOWERCASE,            "lowercase",          transform_lowercase,            GROWTH_NONE)
TRANSFORM(MD5,                  "md5",                transform_md5,                  GROWTH_MD5)
TRANSFORM(NORMALISE_PATH,       "normalisePath",      transform_normalise_path,       GROWTH_NONE)
TRANSFORM(NORMALISE_PATH_WIN,   "normalisePathWin",   transform_normalise_path_win,   GROWTH_NONE)
TRANSFORM(PARITY_EVEN_7BIT,     "parityEven7bit",     transform_parity_even_7bit,     GROWTH_NONE)
TRANSFORM(PARITY_ODD_7BIT,      "parityOdd7bit",      transform_parity_odd_7bit,      GROWTH_NONE)
TRANSFORM(PARITY_ZERO_7BIT,     "parityZero7bit",     transform_parity_zero_7bit,     GROWTH_NONE)
TRANSFORM(REMOVE_COMMENTS,      "removeComments",     transform_remove_comments,      GROWTH_NONE)
TRANSFORM(REMOVE_COMMENTS_CHAR, "removeCommentsChar", transform_remove_comments_char, GROWTH_NONE)
TRANSFORM(REMOVE_NULLS,         "removeNulls",        transform_remove_nulls,         GROWTH_NONE)
TRANSFORM(REMOVE_WHITESPACE,    "removeWhitespace",   transform_remove_whitespace,    GROWTH_NONE)
TRANSFORM(REPLACE_COMMENTS,     "replaceComments",    transform_replace_comments,     GROWTH_NONE)
TRANSFORM(REPLACE_NULLS,        "replaceNulls",       transform_replace_nulls,        GROWTH_NONE)
TRANSFORM(SHA1,                 "sha1",               transform_sha1,                 GROWTH_SHA1)
TRANSFORM(SQL_HEX_DECODE,       "sqlHexDecode",       transform_sql_hex_decode,       GROWTH_NONE)
TRANSFORM(TRIM,                 "trim",               transform_trim,                 GROWTH_NONE)
TRANSFORM(TRIM_LEFT,            "trimLeft",           transform_trim_left,            GROWTH_NONE)
TRANSFORM(TRIM_RIGHT,           "trimRight",          transform_trim_right,           GROWTH_NONE)
TRANSFORM(UPPERCASE,            "uppercase",          transform_uppercase,            GROWTH_NONE)
TRANSFORM(URL_DECODE,           "urlDecode",          transform_url_decode,           GROWTH_NONE)
TRANSFORM(URL_DECODE_UNI,       "urlDecodeUni",       transform_url_decode_uni,       GROWTH_NONE)
TRANSFORM(URL_ENCODE,           "urlEncode",          transform_url_encode,           GROWTH_TRIPLE)
TRANSFORM(UTF8_TO_UNICODE,      "utf8toUnicode",      transform_utf8_to_unicode,      GROWTH_FOURFOLD)

TRANSFORM_ALIAS(NORMALISE_PATH,     "normalizePath")
TRANSFORM_ALIAS(NORMALISE_PATH_WIN, "normalizePathWin")
/* clang-format on */

#undef TRANSFORM
#undef TRANSFORM_ALIAS
