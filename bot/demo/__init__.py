"""An in-memory Gitea with a page, and a story to play on it: for the demo and for tests.

It answers the part of Gitea's API that the bot uses and sends the same webhooks, odd corners
included. One suite, `tests/forge`, holds it to a real Gitea 1.26.3.

    records     what is kept: users, repositories, issues, comments …
    state       all of it together, and how to find things in it
    refusals    everything Gitea says no with
    issues, comments, labels, dependencies, repositories, commits, pulls, hooks
                what people do; each announces its webhooks
    shapes, payloads, notices
                records as the JSON of the API and of webhooks, and sending the latter
    deliveries  webhooks signed and sent, one after another
    faults      the requests that were made, and the ones that are to fail
    api         the routes under /api/v1
    page        the web page, of visits and deeds; markdown and diagram draw its texts
    actor       doing things as a person, for tests and the story
    forge       `Forge`, which holds it together, and `serve`
"""
