/*
 * Every operator. OPERATOR(IDENTIFIER, "SecLang name", argument)
 *
 *   TEXT     a macro, expanded at each evaluation
 *   NUMBER   a macro read as an integer
 *   PATTERN  compiled once: regex, phrases, networks, ranges, a file
 *   NONE     takes none
 *
 * Names are matched without regard to case; a row with the identifier of an earlier one is a second name for it.
 */
OPERATOR(BEGINS_WITH, "beginsWith", TEXT)
OPERATOR(CONTAINS, "contains", TEXT)
OPERATOR(CONTAINS_WORD, "containsWord", TEXT)
OPERATOR(DETECT_SQLI, "detectSQLi", NONE)
OPERATOR(DETECT_XSS, "detectXSS", NONE)
OPERATOR(ENDS_WITH, "endsWith", TEXT)
OPERATOR(EQ, "eq", NUMBER)
OPERATOR(GE, "ge", NUMBER)
OPERATOR(GEO_LOOKUP, "geoLookup", NONE)
OPERATOR(GT, "gt", NUMBER)
OPERATOR(IP_MATCH, "ipMatch", PATTERN)
OPERATOR(IP_MATCH_FROM_FILE, "ipMatchFromFile", PATTERN)
OPERATOR(LE, "le", NUMBER)
OPERATOR(LT, "lt", NUMBER)
OPERATOR(NO_MATCH, "noMatch", NONE)
OPERATOR(PM, "pm", PATTERN)
OPERATOR(PM_FROM_FILE, "pmFromFile", PATTERN)
OPERATOR(RBL, "rbl", PATTERN)
OPERATOR(RX, "rx", PATTERN)
OPERATOR(RX_GLOBAL, "rxGlobal", PATTERN)
OPERATOR(STR_EQ, "streq", TEXT)
OPERATOR(STR_MATCH, "strmatch", TEXT)
OPERATOR(UNCONDITIONAL_MATCH, "unconditionalMatch", NONE)
OPERATOR(VALIDATE_BYTE_RANGE, "validateByteRange", PATTERN)
OPERATOR(VALIDATE_DTD, "validateDTD", PATTERN)
OPERATOR(VALIDATE_SCHEMA, "validateSchema", PATTERN)
OPERATOR(VALIDATE_URL_ENCODING, "validateUrlEncoding", NONE)
OPERATOR(VALIDATE_UTF8_ENCODING, "validateUtf8Encoding", NONE)
OPERATOR(VERIFY_CC, "verifyCC", PATTERN)
OPERATOR(VERIFY_CPF, "verifyCPF", PATTERN)
OPERATOR(VERIFY_SSN, "verifySSN", PATTERN)
OPERATOR(VERIFY_SVNR, "verifySVNR", PATTERN)
OPERATOR(WITHIN, "within", TEXT)
#ifdef OPERATOR_ALIAS
OPERATOR_ALIAS(IP_MATCH_FROM_FILE, "ipMatchF")
OPERATOR_ALIAS(PM_FROM_FILE, "pmf")
#endif
