"""Pure TLS reading of recorded bytes: records, handshake messages, alerts, names, capture files.

Sans-IO: bytes in, records out; no module here may open a socket, a file or a process, or know a board, a case or a
verdict. Parsers say three results: an object, None for "incomplete", ValueError for "wrong". Layout:

    suite_table, suites, groups, signature_algorithms, alerts, versions   code <-> name tables
    fields, records, handshake                                            bytes -> records -> messages
    reading                                                               one connection's recording -> WireReading
    pcapng                                                                recording + key log -> capture file
"""
