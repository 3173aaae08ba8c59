"""ELAN files as other people's programs write them, with all that a careless writer would drop or change."""

from __future__ import annotations

__all__ = ["FOREIGN"]

CORPUS = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2019-03-05T11:22:33+01:00" FORMAT="3.0" VERSION="3.0" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
    <LICENSE LICENSE_URL="https://example.org/licence">ask us</LICENSE>
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
        <MEDIA_DESCRIPTOR MEDIA_URL="file:///D:/corpus/talk.mpg" MIME_TYPE="video/mpeg" \
RELATIVE_MEDIA_URL="./talk.mpg" TIME_ORIGIN="1500"/>
        <LINKED_FILE_DESCRIPTOR LINK_URL="file:///D:/corpus/talk_tsconf.xml" MIME_TYPE="text/xml"/>
        <PROPERTY NAME="URN">urn:nl-mpi-tools-elan-eaf:0b1d</PROPERTY>
        <PROPERTY NAME="lastUsedAnnotationId">7</PROPERTY>
    </HEADER>
    <TIME_ORDER>
        <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="0"/>
        <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="1000"/>
        <TIME_SLOT TIME_SLOT_ID="ts3"/>
        <TIME_SLOT TIME_SLOT_ID="ts4"/>
        <TIME_SLOT TIME_SLOT_ID="ts5" TIME_VALUE="2500"/>
        <TIME_SLOT TIME_SLOT_ID="ts6" TIME_VALUE="2500"/>
        <TIME_SLOT TIME_SLOT_ID="ts7" TIME_VALUE="4000"/>
    </TIME_ORDER>
    <TIER ANNOTATOR="Zoë" LINGUISTIC_TYPE_REF="gloss" PARTICIPANT="S01" TIER_ID="GlossR S01">
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" CVE_REF="cve7" EXT_REF="er2" TIME_SLOT_REF1="ts1" \
TIME_SLOT_REF2="ts2">
                <ANNOTATION_VALUE>HOUSE</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts5">
                <ANNOTATION_VALUE>PT:PRO1SG &lt;1&gt; &amp; "so"</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="parts" PARENT_REF="GlossR S01" TIER_ID="parts">
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a3" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3">
                <ANNOTATION_VALUE>one</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a4" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
                <ANNOTATION_VALUE></ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a8" TIME_SLOT_REF1="ts4" TIME_SLOT_REF2="ts5">
                <ANNOTATION_VALUE>three</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <TIER DEFAULT_LOCALE="en" LANG_REF="eng" LINGUISTIC_TYPE_REF="words" PARENT_REF="GlossR S01" TIER_ID="Translation">
        <ANNOTATION>
            <REF_ANNOTATION ANNOTATION_ID="a5" ANNOTATION_REF="a1">
                <ANNOTATION_VALUE>the house</ANNOTATION_VALUE>
            </REF_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <REF_ANNOTATION ANNOTATION_ID="a6" ANNOTATION_REF="a1" PREVIOUS_ANNOTATION="a5">
                <ANNOTATION_VALUE>over there</ANNOTATION_VALUE>
            </REF_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="gloss" TIER_ID="Spotter"/>
    <LINGUISTIC_TYPE CONTROLLED_VOCABULARY_REF="NGT" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="gloss" \
TIME_ALIGNABLE="true"/>
    <LINGUISTIC_TYPE CONSTRAINTS="Time_Subdivision" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="parts" \
TIME_ALIGNABLE="true"/>
    <LINGUISTIC_TYPE CONSTRAINTS="Symbolic_Subdivision" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="words" \
TIME_ALIGNABLE="false"/>
    <LOCALE COUNTRY_CODE="US" LANGUAGE_CODE="en"/>
    <LANGUAGE LANG_DEF="http://cdb.iso.org/lg/CDB-00138502-001" LANG_ID="eng" LANG_LABEL="English (eng)"/>
    <CONSTRAINT DESCRIPTION="Time subdivision of parent annotation's time interval" STEREOTYPE="Time_Subdivision"/>
    <CONSTRAINT DESCRIPTION="Symbolic subdivision" STEREOTYPE="Symbolic_Subdivision"/>
    <CONSTRAINT DESCRIPTION="1-1 association with a parent annotation" STEREOTYPE="Symbolic_Association"/>
    <CONTROLLED_VOCABULARY CV_ID="NGT" EXT_REF="er1"/>
    <CONTROLLED_VOCABULARY CV_ID="hand">
        <DESCRIPTION LANG_REF="eng">which hand</DESCRIPTION>
        <CV_ENTRY_ML CVE_ID="cveid0">
            <CVE_VALUE DESCRIPTION="right" LANG_REF="eng">R</CVE_VALUE>
        </CV_ENTRY_ML>
    </CONTROLLED_VOCABULARY>
    <LEXICON_REF DATCAT_ID="x" DATCAT_NAME="y" LEXICON_ID="l" LEXICON_NAME="Signbank" LEX_REF_ID="lr1" NAME="Signbank" \
TYPE="LEXUS" URL="https://example.org/"/>
    <REF_LINK_SET LINK_SET_ID="rls1">
        <CROSS_REF_LINK REF1="a1" REF2="a2" REF_LINK_ID="l1">same</CROSS_REF_LINK>
    </REF_LINK_SET>
    <EXTERNAL_REF EXT_REF_ID="er1" TYPE="ecv" VALUE="file:///D:/corpus/NGT.ecv"/>
    <EXTERNAL_REF EXT_REF_ID="er2" TYPE="cve_id" VALUE="cve7"/>
</ANNOTATION_DOCUMENT>
"""

ODD = """<?xml version='1.0' encoding='utf-8' standalone="no"?>
<!-- made by hand; do not  reformat -->
<?tool keep="this"?>
<ANNOTATION_DOCUMENT\tAUTHOR='O"Neil' DATE='2011-01-01T00:00:00-05:00'
   FORMAT='2.7' VERSION='2.7' future='a > b'>
\t<HEADER   MEDIA_FILE=''  TIME_UNITS='milliseconds'  >
\t\t<MEDIA_DESCRIPTOR MEDIA_URL='file:///media/It&apos;s%20here/talk.mp4' MIME_TYPE='video/mp4'/ >
\t</HEADER>
\t<TIME_ORDER  >

\t\t<TIME_SLOT TIME_VALUE='10' TIME_SLOT_ID='T-1'  ></TIME_SLOT>
\t\t<!-- a slot that nobody uses -->
\t\t<TIME_SLOT TIME_SLOT_ID='x&#x41;' TIME_VALUE='999' note='1 &gt; 0 >'/>
\t</TIME_ORDER
>
\t<TIER TIER_ID='Übersetzung &quot;A&quot;' LINGUISTIC_TYPE_REF='t' >
\t\t<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID='q' TIME_SLOT_REF1='T-1' TIME_SLOT_REF2='xA'>
\t\t\t<ANNOTATION_VALUE><![CDATA[<b> & more]]>  \u624b </ANNOTATION_VALUE>
\t\t</ALIGNABLE_ANNOTATION></ANNOTATION>
\t</TIER>
\t<FUTURE_ELEMENT><TIER TIER_ID='inside'/></FUTURE_ELEMENT>
\t<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID='t' TIME_ALIGNABLE='true'/>
\t<CONTROLLED_VOCABULARY CV_ID='old' DESCRIPTION=''><CV_ENTRY DESCRIPTION=''>x</CV_ENTRY></CONTROLLED_VOCABULARY>
\t<!-- the end -->
</ANNOTATION_DOCUMENT>
<!-- after the end -->""".replace("/ >", "/>")

MINIFIED = (
    '<ANNOTATION_DOCUMENT AUTHOR="a" DATE="2020-01-01T00:00:00Z" FORMAT="2.8" VERSION="2.8"><HEADER/><TIME_ORDER/>'
    "</ANNOTATION_DOCUMENT>"
)

LATIN = (
    '<?xml version="1.0" encoding="ISO-8859-1"?>\n<ANNOTATION_DOCUMENT AUTHOR="Jos\u00e9" '
    'DATE="2008-01-01T00:00:00Z" FORMAT="2.6" VERSION="2.6">\n<HEADER TIME_UNITS="milliseconds"/>\n<TIME_ORDER>\n'
    '<TIME_SLOT TIME_SLOT_ID="ts9" TIME_VALUE="77"/>\n</TIME_ORDER>\n</ANNOTATION_DOCUMENT>\n'
)

FOREIGN: dict[str, bytes] = {
    "a corpus file as ELAN 6 saves it": CORPUS.encode(),
    "the same with Windows line breaks and a byte-order mark": b"\xef\xbb\xbf" + CORPUS.replace("\n", "\r\n").encode(),
    "the same in UTF-16": b"\xff\xfe" + CORPUS.replace("UTF-8", "UTF-16").encode("utf-16-le"),
    "made by hand, EAF 2.7, elements of another world": ODD.encode(),
    "one line, empty, EAF 2.8": MINIFIED.encode(),
    "Latin-1, EAF 2.6": LATIN.encode("latin-1"),
}
