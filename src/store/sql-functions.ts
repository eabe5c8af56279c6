/**
 * The functions that users' SQL may call. An allow-list, because a ClickHouse engine has some 1,700 functions and each release brings more:
 * among them are readers of files (`file`, `catboostEvaluate`), of settings, users and ports, of other tables
 * (`joinGet`, `dictGet`, `hasColumnInTable`), callers of the network (`aiGenerate`), sleepers and wrappers that take another function's name as a
 * string (`arrayReduce`, `initializeAggregation`). What is here computes its result from its arguments, the clock aside.
 *
 * Left out on purpose although pure: whatever builds aggregate states from bytes (`-State`, `-Merge`, `finalizeAggregation`,
 * `reinterpret` and `JSONExtract` with a type's name: a forged state is parsed by code that trusts it), random generators, geography, machine learning.
 */

const scalarNames = `
  and not or xor
  equals globalin globalnotin globalnotnullin globalnullin greater greaterorequals in isdistinctfrom isnotdistinctfrom less
  lessorequals notequals notin notnullin nullin
  clamp greatest if least multiif
  assumenotnull coalesce firstnondefault ifnull isnotnull isnull isnullable iszeroornull nullif tonullable
  abs avg2 byteswap divide dividedecimal divideornull gcd ifnotfinite intdiv intdivornull intdivorzero isfinite isinfinite
  isnan lcm max2 midpoint min2 minus modulo modulolegacy moduloornull moduloorzero multiply multiplydecimal negate plus
  positivemodulo positivemoduloornull sqr
  acos acosh asin asinh atan atan2 atanh cbrt cos cosh degrees e erf erfc exp exp10 exp2 hypot lgamma log log10 log1p log2 pi
  pow radians sigmoid sign sin sinh sqrt tan tanh tgamma
  ceil floor round roundage roundbankers rounddown roundduration roundtoexp2 trunc
  bitand bitcount bithammingdistance bitnot bitor bitrotateleft bitrotateright bitshiftleft bitshiftright bitslice bittest
  bittestall bittestany bitxor
  accuratecast accuratecastordefault accuratecastornull cast date fromunixtimestamp64micro fromunixtimestamp64milli
  fromunixtimestamp64nano fromunixtimestamp64second parsedatetime parsedatetime32besteffort parsedatetime32besteffortornull
  parsedatetime32besteffortorzero parsedatetime64 parsedatetime64besteffort parsedatetime64besteffortornull
  parsedatetime64besteffortorzero parsedatetime64ornull parsedatetime64orzero parsedatetimebesteffort
  parsedatetimebesteffortornull parsedatetimebesteffortorzero parsedatetimeornull parsedatetimeorzero reinterpretasdate
  reinterpretasdatetime reinterpretasfixedstring reinterpretasfloat32 reinterpretasfloat64 reinterpretasint128
  reinterpretasint16 reinterpretasint32 reinterpretasint64 reinterpretasint8 reinterpretasstring reinterpretasuint128
  reinterpretasuint16 reinterpretasuint32 reinterpretasuint64 reinterpretasuint8 reinterpretasuuid tobool todate todate32
  todate32ordefault todate32ornull todate32orzero todateordefault todateornull todateorzero todatetime todatetime32
  todatetime64 todatetime64ordefault todatetime64ornull todatetime64orzero todatetimeordefault todatetimeornull
  todatetimeorzero todecimal128 todecimal128ordefault todecimal128ornull todecimal128orzero todecimal32 todecimal32ordefault
  todecimal32ornull todecimal32orzero todecimal64 todecimal64ordefault todecimal64ornull todecimal64orzero todecimalstring
  tofixedstring tofloat32 tofloat32ordefault tofloat32ornull tofloat32orzero tofloat64 tofloat64ordefault tofloat64ornull
  tofloat64orzero toint128 toint128ordefault toint128ornull toint128orzero toint16 toint16ordefault toint16ornull
  toint16orzero toint32 toint32ordefault toint32ornull toint32orzero toint64 toint64ordefault toint64ornull toint64orzero
  toint8 toint8ordefault toint8ornull toint8orzero tointerval tointervalday tointervalhour tointervalmicrosecond
  tointervalmillisecond tointervalminute tointervalmonth tointervalnanosecond tointervalquarter tointervalsecond
  tointervalweek tointervalyear tolowcardinality tostring tostringcuttozero totime totime64 totime64ornull totime64orzero
  totimeornull totimeorzero touint128 touint128ordefault touint128ornull touint128orzero touint16 touint16ordefault
  touint16ornull touint16orzero touint32 touint32ordefault touint32ornull touint32orzero touint64 touint64ordefault
  touint64ornull touint64orzero touint8 touint8ordefault touint8ornull touint8orzero tounixtimestamp64micro
  tounixtimestamp64milli tounixtimestamp64nano tounixtimestamp64second touuid touuidorzero
  adddate adddays addhours addinterval addmicroseconds addmilliseconds addminutes addmonths addnanoseconds addquarters
  addseconds addtupleofintervals addweeks addyears age changeday changehour changeminute changemonth changesecond changeyear
  datediff datename datetrunc formatdatetime fromunixtimestamp fromutctimestamp localtime makedate makedate32 makedatetime
  makedatetime64 monthname now now64 subdate subtractdays subtracthours subtractinterval subtractmicroseconds
  subtractmilliseconds subtractminutes subtractmonths subtractnanoseconds subtractquarters subtractseconds
  subtracttupleofintervals subtractweeks subtractyears timediff timeslot timestamp timezone timezoneof timezoneoffset today
  todayofmonth todayofweek todayofyear todaysinmonth tohour toisoweek toisoyear tolastdayofmonth tolastdayofweek tomicrosecond
  tomillisecond tominute tomonday tomonth tonanosecond toquarter torelativedaynum torelativehournum torelativeminutenum
  torelativemonthnum torelativequarternum torelativesecondnum torelativeweeknum torelativeyearnum tosecond tostartofday
  tostartoffifteenminutes tostartoffiveminutes tostartofhour tostartofinterval tostartofisoyear tostartofmicrosecond
  tostartofmillisecond tostartofminute tostartofmonth tostartofnanosecond tostartofquarter tostartofsecond tostartoftenminutes
  tostartofweek tostartofyear totimewithfixeddate totimezone tounixtimestamp toutctimestamp toweek toyear toyearweek toyyyymm
  toyyyymmdd toyyyymmddhhmmss utctimestamp yesterday yyyymmddhhmmsstodatetime yyyymmddhhmmsstodatetime64 yyyymmddtodate
  yyyymmddtodate32
  cutipv6 ipv4cidrtorange ipv4numtostring ipv4numtostringclassc ipv4stringtonum ipv4stringtonumordefault ipv4stringtonumornull
  ipv4toipv6 ipv6cidrtorange ipv6numtostring ipv6stringtonum ipv6stringtonumordefault ipv6stringtonumornull isipaddressinrange
  isipv4string isipv6string toipv4 toipv4ordefault toipv4ornull toipv4orzero toipv6 toipv6ordefault toipv6ornull toipv6orzero
  datetime64tosnowflakeid datetimetosnowflakeid datetimetouuidv7 snowflakeidtodatetime snowflakeidtodatetime64 touuidordefault
  touuidornull uuidnumtostring uuidstringtonum uuidtonum uuidv7todatetime
  appendtrailingcharifabsent ascii base32decode base32encode base58decode base58encode base64decode base64encode
  base64urldecode base64urlencode basename casefoldutf8 comparesubstrings concat concatassumeinjective concatwithseparator
  concatwithseparatorassumeinjective conv crc32 crc32ieee crc64 decodehtmlcomponent decodexmlcomponent encodexmlcomponent
  endswith endswithcaseinsensitive endswithcaseinsensitiveutf8 endswithutf8 extracttextfromhtml firstline initcap initcaputf8
  isvalidascii isvalidutf8 left leftpad leftpadutf8 leftutf8 lengthutf8 lower lowerutf8 naturalsortkey regexpextract
  regexpposition removediacriticsutf8 repeat reverseutf8 right rightpad rightpadutf8 rightutf8 soundex startswith
  startswithcaseinsensitive startswithcaseinsensitiveutf8 startswithutf8 stringbytesentropy stringbytesuniq substring
  substringindex substringindexutf8 substringutf8 tovalidutf8 trimboth trimleft trimright trybase32decode trybase58decode
  trybase64decode trybase64urldecode upper upperutf8
  countmatches countmatchescaseinsensitive countsubstrings countsubstringscaseinsensitive countsubstringscaseinsensitiveutf8
  extract extractall extractallgroupshorizontal extractgroups hasalltokens hasanytokens hasphrase hassubsequence
  hassubsequencecaseinsensitive hassubsequencecaseinsensitiveutf8 hassubsequenceutf8 hastoken hastokencaseinsensitive
  hastokencaseinsensitiveornull hastokenornull ilike like locate match multimatchallindices multimatchany multimatchanyindex
  multisearchallpositions multisearchallpositionscaseinsensitive multisearchallpositionscaseinsensitiveutf8
  multisearchallpositionsutf8 multisearchany multisearchanycaseinsensitive multisearchanycaseinsensitiveutf8
  multisearchanyutf8 multisearchfirstindex multisearchfirstindexcaseinsensitive multisearchfirstindexcaseinsensitiveutf8
  multisearchfirstindexutf8 multisearchfirstposition multisearchfirstpositioncaseinsensitive
  multisearchfirstpositioncaseinsensitiveutf8 multisearchfirstpositionutf8 ngramdistance ngramdistancecaseinsensitive
  ngramdistancecaseinsensitiveutf8 ngramdistanceutf8 ngramsearch ngramsearchcaseinsensitive ngramsearchcaseinsensitiveutf8
  ngramsearchutf8 notilike notlike position positioncaseinsensitive positioncaseinsensitiveutf8 positionutf8
  format overlay overlayutf8 printf regexpquotemeta replaceall replaceone replaceregexpall replaceregexpone translate
  translateutf8
  alphatokens arraystringconcat extractallgroupsvertical ngrams reversebyseparator splitbychar splitbynonalpha splitbyregexp
  splitbystring splitbywhitespace tokens tokensforlikepattern
  array arrayall arrayavg arraycompact arrayconcat arraycount arraycumsum arraycumsumnonnegative arraydifference arraydistinct
  arraydotproduct arrayelement arrayelementornull arrayenumerate arrayenumeratedense arrayenumerateuniq arrayexcept
  arrayexists arrayfill arrayfilter arrayfirst arrayfirstindex arrayfirstornull arrayflatten arrayfold arrayintersect
  arrayjoin arraylast arraylastindex arraylastornull arraymap arraymax arraymin arraypopback arraypopfront arrayproduct
  arraypushback arraypushfront arrayremove arrayresize arrayreverse arrayreversefill arrayreversesort arrayreversesplit
  arrayrotateleft arrayrotateright arrayshiftleft arrayshiftright arrayshingles arraysimilarity arrayslice arraysort
  arraysplit arraysum arraysymmetricdifference arrayunion arrayuniq arraywithconstant arrayzip arrayzipunaligned countequal
  empty has hasall hasany hassubstr indexof indexofassumesorted length notempty range reverse
  tuple tupleconcat tupleelement tuplenames tupletonamevaluepairs
  extractkeyvaluepairs extractkeyvaluepairswithescaping map mapadd mapall mapapply mapconcat mapcontainskey mapcontainskeylike
  mapcontainsvalue mapcontainsvaluelike mapexists mapextractkeylike mapextractvaluelike mapfilter mapfromarrays mapkeys
  mappopulateseries mapreversesort mapsort mapsubtract mapupdate mapvalues
  isvalidjson json_exists json_query json_value jsonallpaths jsonallpathswithtypes jsonallvalues jsonarraylength
  jsonextractarrayraw jsonextractarrayrawcaseinsensitive jsonextractbool jsonextractboolcaseinsensitive jsonextractfloat
  jsonextractfloatcaseinsensitive jsonextractint jsonextractintcaseinsensitive jsonextractkeys jsonextractkeysandvaluesraw
  jsonextractkeysandvaluesrawcaseinsensitive jsonextractkeyscaseinsensitive jsonextractraw jsonextractrawcaseinsensitive
  jsonextractstring jsonextractstringcaseinsensitive jsonextractuint jsonextractuintcaseinsensitive jsonhas jsonkey jsonlength
  jsonmergepatch jsontype prettyprintjson tojsonstring
  cutfragment cutquerystring cutquerystringandfragment cuttofirstsignificantsubdomain cuttofirstsignificantsubdomainrfc
  cuttofirstsignificantsubdomainwithwww cuttofirstsignificantsubdomainwithwwwrfc cuturlparameter cutwww decodeurlcomponent
  decodeurlformcomponent domain domainrfc domainwithoutwww domainwithoutwwwrfc encodeurlcomponent encodeurlformcomponent
  extracturlparameter extracturlparameternames extracturlparameters firstsignificantsubdomain firstsignificantsubdomainrfc
  fragment netloc path pathfull port portrfc protocol querystring querystringandfragment topleveldomain topleveldomainrfc
  urlhierarchy urlpathhierarchy
  bin bitmasktoarray bitmasktolist bitpositionstoarray char hex unbin unhex
  cityhash64 farmfingerprint64 farmhash64 halfmd5 inthash32 inthash64 md5 metrohash64 murmurhash2_32 murmurhash2_64
  murmurhash3_128 murmurhash3_32 murmurhash3_64 sha1 sha224 sha256 sha384 sha512 sha512_256 siphash128 siphash64 wyhash64 xxh3
  xxh3_128 xxhash32 xxhash64 xxhash64spark
  bar bytesize casewithexpression countdigits digits exists formatreadabledecimalsize formatreadablequantity
  formatreadablesize formatreadabletimedelta grouping hop hopend hopstart identity interval isconstant lambda macnumtostring
  macstringtonum macstringtooui materialize parsereadablesize parsereadablesizeornull parsereadablesizeorzero parsetimedelta
  rownumberinallblocks runningdifference totypename transform tumble tumbleend tumblestart visiblewidth windowid
  array_remove array_to_string byteslice cardinality casewithoutexpr casewithoutexpression ceiling char_length
  character_length concat_ws curdate current_date current_timestamp date_bin date_diff date_format date_trunc day dayofmonth
  dayofweek dayofyear extractallgroups flatten from_base64 from_unixtime from_utc_timestamp hasalltoken hasanytoken hour
  inet6_aton inet6_ntoa inet_aton inet_ntoa instr isascii json_array_length jsonmergepatch last_day lcase ln localtimestamp
  lpad ltrim map_from_arrays mapcontains mapfromstring matchphrase microsecond mid millisecond minute mod modornull month
  nanosecond natural_sort_key octet_length pmod pmodornull positive_modulo positive_modulo_or_null power quarter
  regexp_extract regexp_instr regexp_matches regexp_replace regexp_substr regexpinstr removeaccentsutf8 replace rpad rtrim
  second splitbyalpha str_to_date str_to_map substr substring_index time_bucket timestamp_diff timestampdiff timezone
  timezoneof timezoneoffset to_base64 to_unixtime to_utc_timestamp tostartoffiveminute totimezone trim truncate ucase unnest
  utc_timestamp week year yearweek
`;

const aggregateNames = `
  any any_value anyheavy anylast argmax argmin avg avgweighted boundingratio categoricalinformationvalue corr corrstable count
  covarpop covarpopstable covarsamp covarsampstable deltasum deltasumtimestamp entropy exponentialmovingaverage first_value
  grouparray group_concat groupconcat grouparrayinsertat grouparrayintersect grouparraylast grouparraymovingavg grouparraymovingsum
  grouparraysample grouparraysorted groupbitand groupbitor groupbitxor groupuniqarray histogram intervallengthsum kurtpop kurtsamp
  last_value max maxintersections maxintersectionsposition maxmap median medianexact medianexactweighted mediantdigest mediantiming
  min minmap quantile quantiledeterministic quantileexact quantileexacthigh quantileexactlow quantileexactweighted quantiles
  quantilesexact quantilestdigest quantilestiming quantiletdigest quantiletiming rankcorr retention sequencecount sequencematch
  simplelinearregression skewpop skewsamp std stddev_pop stddev_samp stddevpop stddevsamp sum sumcount sumkahan summap sumwithoverflow
  topk topkweighted uniq uniqcombined uniqcombined64 uniqexact uniqhll12 uniqupto var_pop var_samp varpop varsamp windowfunnel
  array_agg bit_and bit_or bit_xor covar_pop covar_samp
`;

const windowNames = `
  cume_dist dense_rank denserank lag laginframe lead leadinframe nonnegativederivative nth_value ntile percent_rank percentrank rank row_number
`;

/** Endings that alter an aggregate's input or empty result, and nothing else; `sumIfOrNull` has two. */
const combinators = [
  "if",
  "array",
  "distinct",
  "ornull",
  "ordefault",
  "foreach",
  "map",
  "argmin",
  "argmax",
] as const;

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

const plain = new Set([...words(scalarNames), ...words(aggregateNames), ...words(windowNames)]);
const aggregates = new Set(words(aggregateNames));

/** True for a function that users' SQL may call; names count in any case, as most do in the engine. */
export function allowedFunction(name: string): boolean {
  const lower = name.toLowerCase();
  return plain.has(lower) || allowedAggregate(lower);
}

function allowedAggregate(lower: string): boolean {
  if (aggregates.has(lower)) return true;
  return combinators.some(
    (ending) => lower.endsWith(ending) && allowedAggregate(lower.slice(0, -ending.length)),
  );
}

/** Functions in the place of a table: rows made from their arguments alone. */
export const allowedTableFunctions: ReadonlySet<string> = new Set([
  "numbers",
  "generateSeries",
  "generate_series",
]);
